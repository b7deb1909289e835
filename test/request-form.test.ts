import { gql } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scopedToken } from './support/scoped-token.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(() => server[Symbol.asyncDispose]());

type Named = { id: string; name: string };

const COMPANIES = gql`
  query Companies($search: String, $first: Int) {
    companies(search: $search, first: $first) {
      id
      name
    }
  }
`;

const CONTACTS = gql`
  query Contacts($search: String, $companyId: ID) {
    contacts(search: $search, companyId: $companyId) {
      name
      phoneNumber
      email
      company {
        name
      }
    }
  }
`;

const TEMPLATES = gql`
  query Templates($companyId: ID) {
    requestTemplates(companyId: $companyId) {
      id
      name
      defaultDescription
      company {
        name
      }
      fields {
        key
        label
        type
        required
        editable
        options
      }
    }
  }
`;

const PARTICIPANT = gql`
  {
    conversations(first: 10) {
      nodes {
        participant {
          displayName
          contact {
            name
          }
          company {
            name
          }
        }
      }
    }
  }
`;

type Participants = {
  conversations: {
    nodes: {
      participant: { displayName: string; contact: { name: string } | null; company: { name: string } | null };
    }[];
  };
};

describe('what the request form offers', () => {
  it.each([
    ['ruze', ['Květinářství Růže s.r.o.']],
    ['RŮŽE kvet', ['Květinářství Růže s.r.o.']],
    ['', ['Květinářství Růže s.r.o.', 'Strojírny Brno a.s.']],
    ['%', []],
    ['_', []],
    ['\\', []],
    ['nobody', []],
  ])('finds companies by "%s"', async (search, names) => {
    const { companies } = await (await server.as('boris')).request<{ companies: Named[] }>(COMPANIES, { search });

    expect(companies.map(({ name }) => name)).toEqual(names);
  });

  it.each(['+420 601 123 456', '00420601123456', '601123', 'vesela jana', 'jana.vesela@RUZE'])(
    'finds a contact by "%s"',
    async (search) => {
      const { contacts } = await (await server.as('boris')).request<{ contacts: Named[] }>(CONTACTS, { search });

      expect(contacts).toEqual([
        {
          name: 'Jana Veselá',
          phoneNumber: '+420601123456',
          email: 'jana.vesela@ruze.example',
          company: { name: 'Květinářství Růže s.r.o.' },
        },
      ]);
    },
  );

  it('limits contacts to a company, and refuses the id of something else', async () => {
    const boris = await server.as('boris');
    const { companies } = await boris.request<{ companies: Named[] }>(COMPANIES, { search: 'Brno' });
    const { tags } = await boris.request<{ tags: Named[] }>('{ tags { id name } }');

    const { contacts } = await boris.request<{ contacts: Named[] }>(CONTACTS, { companyId: companies[0]?.id });
    const wrong = await boris.rawRequest(CONTACTS, { companyId: tags[0]?.id }).catch((error: unknown) => error);

    expect(contacts.map(({ name }) => name)).toEqual(['Karel Šťastný', 'Recepce', 'Vrátnice']);
    expect(wrong).toMatchObject({ response: { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] } });
  });

  it('refuses sizes and searches beyond their limits', async () => {
    const boris = await server.as('boris');

    const wrong: Record<string, unknown>[] = [{ first: 0 }, { first: 101 }, { search: 'x'.repeat(201) }];
    for (const variables of wrong) {
      const refused = await boris.request(COMPANIES, variables).catch((error: unknown) => error);
      expect(refused).toMatchObject({ response: { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] } });
    }
  });

  it('gives tags by folded name', async () => {
    const { tags } = await (await server.as('boris')).request<{ tags: Named[] }>('{ tags(search: "SPECHA") { name } }');

    expect(tags).toEqual([{ name: 'spěchá' }]);
  });

  it('gives the templates of a company beside those for everyone', async () => {
    const boris = await server.as('boris');
    const { companies } = await boris.request<{ companies: Named[] }>(COMPANIES, {});
    const [roses, machines] = companies;
    await server.sql(
      `INSERT INTO request_template (id, name, company_id, active)
       SELECT gen_random_uuid(), t.name, c.id, t.active FROM company c,
         (VALUES ('Jen pro Brno', true), ('Vyřazená', false)) AS t (name, active)
       WHERE c.name LIKE 'Stroj%'`,
    );

    const names = async (companyId?: string) =>
      (await boris.request<{ requestTemplates: Named[] }>(TEMPLATES, { companyId })).requestTemplates.map(
        ({ name }) => name,
      );

    expect(await names()).toEqual(['Obecný požadavek', 'Reklamace']);
    expect(await names(roses?.id)).toEqual(['Obecný požadavek', 'Reklamace']);
    expect(await names(machines?.id)).toEqual(['Jen pro Brno', 'Obecný požadavek', 'Reklamace']);
  });

  it('describes the typed fields of a template', async () => {
    const { requestTemplates } = await (
      await server.as('boris')
    ).request<{ requestTemplates: { name: string; fields: object[] }[] }>(TEMPLATES);

    const { fields } = requestTemplates.find(({ name }) => name === 'Reklamace') ?? { fields: [] };
    expect(fields[2]).toEqual({
      key: 'damage',
      label: 'Druh závady',
      type: 'CHOICE',
      required: true,
      editable: true,
      options: ['poškozené', 'nefunkční', 'jiné'],
    });
    expect(fields[5]).toMatchObject({ key: 'approved_by', editable: false });
  });

  it('knows the contact and company of a customer whose number exactly one contact has', async () => {
    for (const [from, name] of [
      ['+420601123456', 'Jana'],
      ['+420541000100', 'Někdo z vrátnice'],
      ['+420999888777', 'Neznámý'],
    ] as const)
      await server.sandbox.customerWrites({ phoneNumberId: number1.phoneNumberId, from, name, text: 'Dobrý den' });

    const { conversations } = await (await server.as('cyril')).request<Participants>(PARTICIPANT);
    const known = Object.fromEntries(
      conversations.nodes.map(({ participant }) => [
        participant.displayName,
        [participant.contact?.name, participant.company?.name],
      ]),
    );

    expect(known).toEqual({
      Jana: ['Jana Veselá', 'Květinářství Růže s.r.o.'],
      'Někdo z vrátnice': [undefined, undefined],
      Neznámý: [undefined, undefined],
    });
  });
});

describe('rights', () => {
  it('keeps the form from those without READ_REQUESTS, and people from those without READ_CONTACT_DATA', async () => {
    const none = server.withToken(await scopedToken(server, ['READ_CONVERSATIONS']));
    const requestsOnly = server.withToken(await scopedToken(server, ['READ_CONVERSATIONS', 'READ_REQUESTS']));

    for (const field of ['companies { id }', 'tags { id }', 'requestTemplates { id }', 'contacts { id }']) {
      const refused = await none.request(`{ ${field} }`).catch((error: unknown) => error);
      expect(refused).toMatchObject({ response: { errors: [{ extensions: { code: 'FORBIDDEN' } }] } });
    }
    expect(await requestsOnly.request('{ tags { name } }')).toHaveProperty('tags.length', 4);
    for (const field of ['companies { id }', 'contacts { id }'])
      await expect(requestsOnly.request(`{ ${field} }`)).rejects.toThrow('This token lacks READ_CONTACT_DATA.');
    const { conversations } = await requestsOnly.request<Participants>(PARTICIPANT);
    expect(conversations.nodes.map(({ participant }) => [participant.contact, participant.company])).toEqual(
      conversations.nodes.map(() => [null, null]),
    );
  });
});
