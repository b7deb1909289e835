import type { Database } from './db/database.ts';
import type { Prisma } from './generated/prisma/client.ts';
import { companyKeys, contactKeys } from './services/contacts.ts';
import type { FieldDefinition } from './services/requests/fields.ts';
import { tagKeys } from './services/tags.ts';

const companies = [
  {
    name: 'Květinářství Růže s.r.o.',
    contacts: [
      { name: 'Jana Veselá', phoneNumber: '+420601123456', email: 'jana.vesela@ruze.example' },
      { name: 'Petr Růžička', phoneNumber: '+420602222333', email: 'petr@ruze.example' },
    ],
  },
  {
    name: 'Strojírny Brno a.s.',
    contacts: [
      { name: 'Karel Šťastný', phoneNumber: '+420603333444', email: 'stastny@strojirny.example' },
      { name: 'Vrátnice', phoneNumber: '+420541000100', email: null },
      { name: 'Recepce', phoneNumber: '+420541000100', email: null },
    ],
  },
];

const tags = [
  { name: 'reklamace', color: '#d64545' },
  { name: 'fakturace', color: '#3d7ea6' },
  { name: 'spěchá', color: '#e8a33d' },
  { name: 'VIP', color: '#7a4fb5' },
];

const field = (key: string, label: string, type: string, more: Partial<FieldDefinition> = {}): FieldDefinition => ({
  key,
  label,
  type,
  required: false,
  editable: true,
  options: [],
  ...more,
});

const templates = [
  { name: 'Obecný požadavek', fields: [], defaultDescription: null },
  {
    name: 'Reklamace',
    fields: [
      field('order_number', 'Číslo objednávky', 'TEXT', { required: true }),
      field('bought_on', 'Datum nákupu', 'DATE'),
      field('damage', 'Druh závady', 'CHOICE', { required: true, options: ['poškozené', 'nefunkční', 'jiné'] }),
      field('price', 'Cena', 'NUMBER'),
      field('under_warranty', 'V záruce', 'BOOLEAN'),
      field('approved_by', 'Schválil', 'TEXT', { editable: false }),
    ],
    defaultDescription: 'Postup: prohlédnout, vyfotit, odpovědět do 30 dnů.',
  },
];

/** Companies with contacts, tags and request templates for a form that has something to offer. */
export async function seedDemoRequests({ prisma }: Database): Promise<void> {
  for (const { name, contacts } of companies) {
    const company = await prisma.company.create({ data: { name, ...companyKeys({ name }) } });
    await prisma.contact.createMany({
      data: contacts.map((contact) => ({ ...contact, ...contactKeys(contact), companyId: company.id })),
    });
  }
  await prisma.tag.createMany({ data: tags.map((tag) => ({ ...tag, ...tagKeys(tag) })), skipDuplicates: true });
  await prisma.requestTemplate.createMany({
    // Plain data, which the generated type wants to be told.
    data: templates.map((template) => ({ ...template, fields: template.fields as unknown as Prisma.InputJsonValue })),
  });
}
