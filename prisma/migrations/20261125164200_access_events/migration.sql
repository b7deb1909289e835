-- Rights are part of the log: what is appended after this event must not leave under the rights of before.
-- Deferred, because the head of the stream is locked last.
CREATE FUNCTION tell_access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM append_events(jsonb_build_array(jsonb_build_object(
    'type', 'ACCESS_CHANGED', 'data', '{}'::jsonb, 'occurred_at', clock_timestamp())));
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER operator_access_changed
  AFTER UPDATE OF permissions, deactivated_at, signed_out_at ON operator
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN ((OLD.permissions, OLD.deactivated_at, OLD.signed_out_at)
    IS DISTINCT FROM (NEW.permissions, NEW.deactivated_at, NEW.signed_out_at))
  EXECUTE FUNCTION tell_access_changed();

CREATE CONSTRAINT TRIGGER api_token_access_changed
  AFTER UPDATE OF scopes, business_number_ids, revoked_at, expires_at ON api_token
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN ((OLD.scopes, OLD.business_number_ids, OLD.revoked_at, OLD.expires_at)
    IS DISTINCT FROM (NEW.scopes, NEW.business_number_ids, NEW.revoked_at, NEW.expires_at))
  EXECUTE FUNCTION tell_access_changed();

CREATE CONSTRAINT TRIGGER settings_access_changed
  AFTER UPDATE OF enabled ON settings
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD.enabled IS DISTINCT FROM NEW.enabled)
  EXECUTE FUNCTION tell_access_changed();

