-- Deliveries that are kept and not applied yet are few, and are looked for every few seconds.
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (received_at, id) WHERE state = 'RECEIVED';
