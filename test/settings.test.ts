import { gql, type GraphQLClient } from 'graphql-request';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, runSql } from './support/database.ts';
import { eventually } from './support/events.ts';
import { batchOf, textMessage } from './support/payloads.ts';
import { startServerProcess } from './support/process.ts';
import { number1, number2, startTestServer, type TestServer } from './support/server.ts';
import { patience } from './support/patience.ts';
import { clientOf, tokenFor } from './support/sign-in.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(() => server[Symbol.asyncDispose]());

const MODULE = gql`
  fragment Module on ChatModule {
    licensed
    enabled
    ready
    setup {
      key
      complete
      problems {
        code
        message
      }
    }
    settings {
      version
      whatsappBusinessAccountId
      accessToken {
        isSet
        hint
        setAt
      }
      webhookToken {
        isSet
        hint
      }
      appSecret {
        isSet
        hint
      }
      webhookUrl
      businessNumbers {
        slot
        phoneNumberId
        phoneNumber
        displayName
        active
      }
      timeZone
      windowWarningMinutes
      lastVerifiedAt
      lastWebhookAt
    }
  }
`;
const ERRORS =
  'errors { __typename code message path ... on ValidationError { rule } ... on StaleStateError { currentVersion } ... on ProviderError { providerCode retryable } }';
const SHOW = gql`
  query {
    chatModule {
      ...Module
    }
  }
  ${MODULE}
`;
const HEALTH = '{ chatModule { health { code message } } }';
const UPDATE = gql`
  mutation Update($input: UpdateChatSettingsInput!) {
    updateChatSettings(input: $input) {
      chatModule {
        ...Module
      }
      ${ERRORS}
    }
  }
  ${MODULE}
`;
const VERIFY = gql`
  mutation {
    verifyChatConnection {
      chatModule { ...Module }
      ${ERRORS}
    }
  }
  ${MODULE}
`;

type Number = { slot: number | null; phoneNumberId: string; phoneNumber: string; displayName: string; active: boolean };
type Settings = {
  version: number;
  whatsappBusinessAccountId: string | null;
  accessToken: { isSet: boolean; hint: string | null };
  businessNumbers: Number[];
};
type Module = {
  ready: boolean;
  setup: { key: string; complete: boolean; problems: { code: string }[] }[];
  settings: Settings;
};
type Problem = { __typename: string; code: string; rule?: string; path: string[] | null };
type Payload = { chatModule: Module | null; errors: Problem[] };

async function show(): Promise<Module> {
  return (await (await server.as('alena')).request<{ chatModule: Module }>(SHOW)).chatModule;
}

async function update(input: Record<string, unknown>): Promise<Payload> {
  const { settings } = await show();
  const variables = { input: { expectedVersion: settings.version, ...input } };
  return (await (await server.as('alena')).request<{ updateChatSettings: Payload }>(UPDATE, variables))
    .updateChatSettings;
}

async function verify(): Promise<Payload> {
  return (await (await server.as('alena')).request<{ verifyChatConnection: Payload }>(VERIFY)).verifyChatConnection;
}

const first = { phoneNumberId: number1.phoneNumberId, phoneNumber: number1.phoneNumber };
const second = { phoneNumberId: number2.phoneNumberId, phoneNumber: number2.phoneNumber };
const problemsOf = ({ errors }: Payload) => errors.map(({ rule, path }) => [path?.join('.'), rule]);
const slotsOf = (module: Module | null) =>
  module?.settings.businessNumbers.map(({ slot, phoneNumber, active }) => [slot, phoneNumber, active]);

describe('an identifier', () => {
  it.each([
    ['14 digits', '12345678901234'],
    ['16 digits', '1234567890123456'],
    ['letters', '12345678901234a'],
    ['Arabic digits', '١٢٣٤٥٦٧٨٩٠١٢٣٤٥'],
    ['a blank inside', '1234567 8901234'],
    ['nothing', ''],
    ['a sign', '+23456789012345'],
  ])('with %s is refused', async (_what, id) => {
    const refused = await update({
      whatsappBusinessAccountId: id,
      primaryNumber: { ...first, phoneNumberId: id },
    });

    expect(problemsOf(refused)).toEqual([
      ['input.whatsappBusinessAccountId', 'META_ID'],
      ['input.primaryNumber.phoneNumberId', 'META_ID'],
    ]);
    expect(refused.chatModule).toBeNull();
  });

  it('keeps a leading zero and loses blanks around it', async () => {
    const before = (await show()).settings.whatsappBusinessAccountId;
    const saved = await update({ whatsappBusinessAccountId: ' 012345678901234 ' });

    expect(saved).toMatchObject({
      errors: [],
      chatModule: { settings: { whatsappBusinessAccountId: '012345678901234' } },
    });
    await update({ whatsappBusinessAccountId: before });
  });
});

describe('a number', () => {
  it.each([
    ['+420 777 123 456', '+420777123456'],
    ['00420777123456', '+420777123456'],
    ['+420-777-(123)-456', '+420777123456'],
    ['+421 905 123 456', '+421905123456'],
    ['+49 30 901820', '+4930901820'],
  ])('%s is stored as %s', async (typed, stored) => {
    const saved = await update({ secondaryNumber: { ...second, phoneNumber: typed } });

    expect(saved.errors).toEqual([]);
    expect(slotsOf(saved.chatModule)).toContainEqual([2, stored, true]);
    await update({ secondaryNumber: second });
  });

  it.each([
    ['777123456', 'MISSING_PREFIX'],
    ['+42077712345', 'WRONG_LENGTH'],
    ['+4217771234567', 'WRONG_LENGTH'],
    ['+4912', 'TOO_SHORT'],
    ['+1234567890123456', 'TOO_LONG'],
    ['+420 777 abc 456', 'NOT_DIGITS'],
  ])('%s is refused with %s', async (typed, rule) => {
    const refused = await update({ secondaryNumber: { ...second, phoneNumber: typed } });

    expect(problemsOf(refused)).toEqual([['input.secondaryNumber.phoneNumber', rule]]);
  });
});

describe('the settings', () => {
  it('tell everything that is wrong at once, each with its path, and change nothing', async () => {
    const before = await show();
    const refused = await update({
      whatsappBusinessAccountId: '1',
      accessToken: '   ',
      webhookToken: 'too short',
      appSecret: 'zwölf',
      primaryNumber: null,
      secondaryNumber: { phoneNumberId: '2', phoneNumber: '777' },
      timeZone: null,
      windowWarningMinutes: 0,
      expectedVersion: before.settings.version - 1,
    });

    expect(problemsOf(refused)).toEqual([
      ['input.whatsappBusinessAccountId', 'META_ID'],
      ['input.accessToken', 'BLANK'],
      ['input.webhookToken', 'TOO_SHORT'],
      ['input.appSecret', 'INVALID_CHARACTERS'],
      ['input.primaryNumber', 'REQUIRED'],
      ['input.secondaryNumber.phoneNumberId', 'META_ID'],
      ['input.secondaryNumber.phoneNumber', 'MISSING_PREFIX'],
      ['input.timeZone', 'REQUIRED'],
      ['input.windowWarningMinutes', 'OUT_OF_RANGE'],
      [undefined, undefined],
    ]);
    expect(refused.errors.at(-1)).toMatchObject({ code: 'STALE_STATE', currentVersion: before.settings.version });
    expect(await show()).toEqual(before);
  });

  it('refuse a zone that does not exist and a second number without its ID', async () => {
    const alena = await server.as('alena');
    const answers = await Promise.all(
      [
        { timeZone: 'Mars/Phobos' },
        { timeZone: '+0530' },
        { timeZone: '-05' },
        { secondaryNumber: { phoneNumber: '+420777000222' } },
      ].map((input) =>
        alena.rawRequest(UPDATE, { input: { expectedVersion: 1, ...input } }).catch((error: unknown) => error),
      ),
    );

    for (const answer of answers)
      expect(answer).toMatchObject({ response: { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] } });
  });

  it('leave what is not given as it is', async () => {
    const before = await show();
    const saved = await update({ windowWarningMinutes: 90, timeZone: 'Europe/Bratislava' });

    expect(saved.chatModule?.settings).toEqual({
      ...before.settings,
      version: before.settings.version + 1,
      windowWarningMinutes: 90,
      timeZone: 'Europe/Bratislava',
    });
    await update({ windowWarningMinutes: 60, timeZone: 'Europe/Prague' });
  });

  it('let one of two who save at once win and tell the other', async () => {
    const { settings } = await show();
    const alena = await server.as('alena');
    const answers = await Promise.all(
      [61, 62].map((windowWarningMinutes) =>
        alena.request<{ updateChatSettings: Payload }>(UPDATE, {
          input: { expectedVersion: settings.version, windowWarningMinutes },
        }),
      ),
    );

    expect(
      answers.map(({ updateChatSettings }) => updateChatSettings.errors.map(({ code }) => code)).toSorted(),
    ).toEqual([[], ['STALE_STATE']]);
    await update({ windowWarningMinutes: 60 });
  });

  it('write down who changed what, without the values', async () => {
    await update({ accessToken: 'EAAnew-access-token-0001' });
    const [entry] = await server.sql(`SELECT action, detail FROM audit_entry ORDER BY at DESC, id DESC LIMIT 1`);

    expect(entry).toEqual({ action: 'SETTINGS_CHANGED', detail: 'accessToken' });
    await update({ accessToken: 'sandbox-access-token' });
  });
});

describe('the two numbers', () => {
  beforeEach(async () => {
    await update({ primaryNumber: first, secondaryNumber: second });
  });

  it('must differ in number and in ID', async () => {
    const sameId = await update({ secondaryNumber: { ...second, phoneNumberId: first.phoneNumberId } });
    const sameNumber = await update({ secondaryNumber: { ...second, phoneNumber: '+420 777 000 111' } });
    const same = await update({ primaryNumber: second });

    expect([sameId, sameNumber, same].map(problemsOf)).toEqual([
      [['input.secondaryNumber.phoneNumberId', 'NOT_DIFFERENT']],
      [['input.secondaryNumber.phoneNumber', 'NOT_DIFFERENT']],
      [
        ['input.primaryNumber.phoneNumberId', 'NOT_DIFFERENT'],
        ['input.primaryNumber.phoneNumber', 'NOT_DIFFERENT'],
      ],
    ]);
  });

  it('change places in one call', async () => {
    const saved = await update({ primaryNumber: second, secondaryNumber: first });

    expect(slotsOf(saved.chatModule)).toEqual([
      [1, second.phoneNumber, true],
      [2, first.phoneNumber, true],
    ]);
  });

  it('go without a trace where no conversation uses them, and stay inactive where one does', async () => {
    const unused = await update({ secondaryNumber: null });
    await server.postWebhook(batchOf(first.phoneNumberId, [textMessage()]));
    const replaced = await update({
      primaryNumber: { phoneNumberId: '100000000000013', phoneNumber: '+420777000333' },
    });

    expect(slotsOf(unused.chatModule)).toEqual([[1, first.phoneNumber, true]]);
    expect(slotsOf(replaced.chatModule)).toEqual([
      [1, '+420777000333', true],
      [null, first.phoneNumber, false],
    ]);
    const { conversations } = await (
      await server.as('alena')
    ).request<{ conversations: { nodes: unknown[] } }>(
      '{ conversations(first: 1) { nodes { businessNumber { phoneNumber active } messages(last: 1) { nodes { kind } } } } }',
    );
    expect(conversations.nodes).toEqual([
      { businessNumber: { phoneNumber: first.phoneNumber, active: false }, messages: { nodes: [{ kind: 'TEXT' }] } },
    ]);
  });

  it('come back with their history', async () => {
    const before = await server.sql<{ id: string }>('SELECT id FROM business_number WHERE phone_number_id = $1', [
      first.phoneNumberId,
    ]);
    await update({ primaryNumber: { phoneNumberId: '100000000000013', phoneNumber: '+420777000333' } });
    const back = await update({ primaryNumber: first });

    expect(slotsOf(back.chatModule)?.[0]).toEqual([1, first.phoneNumber, true]);
    expect(
      await server.sql('SELECT id FROM business_number WHERE phone_number_id = $1', [first.phoneNumberId]),
    ).toEqual(before);
  });
});

describe('a check of the connection', () => {
  const codesOf = ({ chatModule }: Payload) =>
    Object.fromEntries(chatModule?.setup.map(({ key, problems }) => [key, problems.map(({ code }) => code)]) ?? []);
  const subscription = (method: 'POST' | 'DELETE') =>
    fetch(`${server.sandbox.url}/v25.0/${server.sandbox.businessAccountId}/subscribed_apps`, {
      method,
      headers: { authorization: `Bearer ${server.sandbox.accessToken}` },
    });

  beforeEach(async () => {
    await update({
      primaryNumber: first,
      secondaryNumber: second,
      accessToken: server.sandbox.accessToken,
      whatsappBusinessAccountId: server.sandbox.businessAccountId,
    });
    await subscription('POST');
  });

  it('finds nothing where all is well, and learns the names that customers see', async () => {
    await server.sql('UPDATE business_number SET display_name = NULL');
    const checked = await verify();

    expect(checked.errors).toEqual([]);
    expect(codesOf(checked)).toEqual({ account: [], numbers: [], access: [] });
    expect(checked.chatModule).toMatchObject({ ready: true, settings: { lastVerifiedAt: expect.any(String) } });
    expect(checked.chatModule?.settings.businessNumbers.map(({ displayName }) => displayName)).toEqual([
      'Demo Support',
      'Demo Sales',
    ]);
  });

  it('names the access token that WhatsApp refuses', async () => {
    await update({ accessToken: 'EAAwrong-token-000000' });

    expect(codesOf(await verify())).toEqual({ account: ['ACCESS_TOKEN_REJECTED'], numbers: [], access: [] });
  });

  it('names the account, the numbers and the subscription that are wrong', async () => {
    await update({
      whatsappBusinessAccountId: '999999999999999',
      primaryNumber: { ...first, phoneNumber: '+420777999999' },
      secondaryNumber: { ...second, phoneNumberId: '999999999999998' },
    });

    expect(codesOf(await verify())).toEqual({
      account: ['ACCOUNT_NOT_FOUND'],
      numbers: ['NUMBER_DIFFERS', 'NUMBER_NOT_FOUND'],
      access: ['WEBHOOK_NOT_SUBSCRIBED'],
    });
  });

  it('names the webhook that nobody is subscribed to, until it is checked again', async () => {
    await subscription('DELETE');
    expect(codesOf(await verify())).toEqual({ account: [], numbers: [], access: ['WEBHOOK_NOT_SUBSCRIBED'] });
    await subscription('POST');

    expect(codesOf(await verify())).toEqual({ account: [], numbers: [], access: [] });
  });

  it('says that WhatsApp cannot be asked, and keeps what was found before', async () => {
    await verify();
    const before = await show();
    server.sandbox.fail({ kind: 'server-error', on: 'account', next: 5 });
    const answer = await verify();
    server.sandbox.clearFaults();

    expect(answer).toMatchObject({ chatModule: null, errors: [{ __typename: 'ProviderError', retryable: true }] });
    expect(await show()).toEqual(before);
  });

  it('cannot begin without an access token', async () => {
    await update({ accessToken: null });

    expect(await verify()).toMatchObject({ chatModule: null, errors: [{ code: 'MODULE_INCOMPLETE' }] });
    expect((await show()).ready).toBe(false);
  });
});

describe('a secret', () => {
  const secrets = {
    accessToken: 'EAAsecret-access-token-1111',
    webhookToken: 'secret webhook token 2222',
    appSecret: 'secretappsecret3333',
  };

  it('stands in no answer, error, event, log line or row', async () => {
    await using database = await createTestDatabase();
    await using process = await startServerProcess({ DATABASE_URL: database.url, LOG_LEVEL: 'trace', SANDBOX: 'on' });
    const alena = clientOf(process.url, await tokenFor('alena'));
    const said: unknown[] = [];
    const ask = async (document: string, variables = {}) => {
      const answer = await alena.rawRequest(document, variables).catch((error: unknown) => error);
      said.push(answer instanceof Error && 'response' in answer ? answer.response : answer);
      return answer as { data: { updateChatSettings: Payload } };
    };

    const saved = await ask(UPDATE, { input: { expectedVersion: 1, ...secrets } });
    expect(saved.data.updateChatSettings.errors).toEqual([]);
    await ask(UPDATE, { input: { expectedVersion: 1, ...secrets } });
    await ask(UPDATE, { input: { expectedVersion: 2, ...secrets, whatsappBusinessAccountId: 'x' } });
    await ask(UPDATE, { input: { expectedVersion: 'x', ...secrets } });
    await ask(UPDATE, { input: secrets });
    await ask(UPDATE, { input: { expectedVersion: 4, accessToken: [secrets.accessToken] } });
    await ask(UPDATE, { input: Object.values(secrets).join('; ') });
    await ask(VERIFY);
    await ask(SHOW);
    await ask('{ events(after: "x") { cursor } auditLog(first: 50) { nodes { action detail } } }');
    await fetch(`${process.url}/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=${secrets.webhookToken}`);

    const { settings } = (saved.data.updateChatSettings.chatModule ?? {}) as Module;
    expect(settings).toMatchObject({
      accessToken: { isSet: true, hint: '1111' },
      webhookToken: { isSet: true, hint: '2222' },
      appSecret: { isSet: true, hint: '3333' },
    });
    const dump = await dumpOf(database.url);
    expect(dump).toContain('SETTINGS_CHANGED');
    for (const secret of Object.values(secrets)) {
      expect(JSON.stringify(said)).not.toContain(secret);
      expect(process.output()).not.toContain(secret);
      expect(dump).not.toContain(secret);
    }
  });

  it('is sealed with the present key at the next start, so that the one before can be taken away', async () => {
    await using database = await createTestDatabase();
    const on = { SANDBOX: 'on' };
    const keyOf = (byte: number) => Buffer.alloc(32, byte).toString('base64');
    await using before = await startTestServer({
      databaseUrl: database.url,
      settings: { ...on, ENCRYPTION_KEY: keyOf(1) },
    });
    const alena = await before.as('alena');
    await alena.request(UPDATE, { input: { expectedVersion: 1, ...secrets } });
    const rotated = { ...on, ENCRYPTION_KEY: keyOf(2), ENCRYPTION_KEY_PREVIOUS: keyOf(1) };
    await (await startTestServer({ databaseUrl: database.url, settings: rotated }))[Symbol.asyncDispose]();

    await using after = await startTestServer({
      databaseUrl: database.url,
      settings: { ...on, ENCRYPTION_KEY: keyOf(2) },
    });
    expect(await handshake(after.url, secrets.webhookToken)).toBe(200);
    await using lost = await startTestServer({
      databaseUrl: database.url,
      settings: { ...on, ENCRYPTION_KEY: keyOf(3) },
    });
    const { chatModule } = await (await lost.as('alena')).request<{ chatModule: Module }>(SHOW);
    expect(chatModule.setup[0]).toMatchObject({ complete: false, problems: [{ code: 'ACCESS_TOKEN_UNREADABLE' }] });
  });

  it('that no key opens is told in the log and in the health', async () => {
    await using database = await createTestDatabase();
    const sealed = (byte: number) => ({
      DATABASE_URL: database.url,
      SANDBOX: 'on',
      ENCRYPTION_KEY: Buffer.alloc(32, byte).toString('base64'),
    });
    const healthOf = async (to: GraphQLClient) =>
      (await to.request<{ chatModule: { health: { code: string; message: string }[] } }>(HEALTH)).chatModule.health;
    await using right = await startTestServer({ databaseUrl: database.url, settings: sealed(1) });
    const alena = await right.as('alena');
    await alena.request(UPDATE, { input: { expectedVersion: 1, accessToken: secrets.accessToken } });

    await using wrong = await startServerProcess(sealed(2));

    await eventually(async () => (await healthOf(alena)).length > 0);
    expect(await healthOf(alena)).toEqual([
      {
        code: 'ACCESS_TOKEN_UNREADABLE',
        message: expect.stringContaining('set ENCRYPTION_KEY_PREVIOUS to that one, or enter the access token again'),
      },
    ]);
    await eventually(async () =>
      /"level":"error".+The access token was sealed with another ENCRYPTION_KEY/.test(wrong.output()),
    );
    expect(wrong.output()).not.toContain(secrets.accessToken);
    await eventually(async () => {
      const metrics = await (await fetch(`${right.url}/metrics`)).text();
      return metrics.includes('cdesk_channel_problems 1\n');
    });
  });

  it('that was changed by one process is used by another within a second', async () => {
    await using other = await startTestServer({ databaseUrl: server.databaseUrl });
    const webhookToken = `changed a moment ago ${Date.now()}`;
    expect(await handshake(other.url, webhookToken)).toBe(403);
    await update({ webhookToken });
    const changedAt = Date.now();

    await eventually(async () => (await handshake(other.url, webhookToken)) === 200);
    expect(Date.now() - changedAt).toBeLessThan(patience(1_000));
  });
});

async function handshake(url: string, token: string): Promise<number> {
  const query = new URLSearchParams({ 'hub.mode': 'subscribe', 'hub.verify_token': token, 'hub.challenge': '1' });
  return (await fetch(`${url}/webhooks/whatsapp?${query.toString()}`)).status;
}

/** Every row of every table as text. */
async function dumpOf(url: string): Promise<string> {
  const tables = (await runSql(
    url,
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  )) as { name: string }[];
  const rows = await Promise.all(
    tables.map(({ name }) => runSql(url, `SELECT '${name}' AS t, r::text FROM ${name} r`)),
  );
  return JSON.stringify(rows);
}
