/** A row of GET /{business-account-id}/message_templates. */
export type SandboxTemplate = {
  id: string;
  name: string;
  language: string;
  status: string;
  category: string;
  parameter_format: 'POSITIONAL' | 'NAMED';
  components: readonly TemplateComponent[];
  quality_score?: { score: string; date: number };
  rejected_reason?: string;
  previous_category?: string;
};

export type TemplateComponent = {
  type: 'HEADER' | 'BODY' | 'FOOTER' | 'BUTTONS';
  format?: string;
  text?: string;
  buttons?: readonly TemplateButton[];
  example?: Record<string, unknown>;
};

export type TemplateButton = {
  type: string;
  text: string;
  url?: string;
  phone_number?: string;
  example?: readonly string[];
};

/** What a new installation sees: every kind of variable, two languages, and templates that cannot be sent. */
export const sampleTemplates: readonly SandboxTemplate[] = [
  {
    id: '2901000000000001',
    name: 'dobry_den',
    language: 'cs',
    status: 'APPROVED',
    category: 'UTILITY',
    parameter_format: 'POSITIONAL',
    components: [
      { type: 'BODY', text: 'Dobrý den, navazujeme na naši předchozí konverzaci. Můžeme Vám ještě s něčím pomoci?' },
      { type: 'FOOTER', text: 'Zákaznická podpora' },
    ],
  },
  {
    id: '2901000000000002',
    name: 'hello_again',
    language: 'en_US',
    status: 'APPROVED',
    category: 'UTILITY',
    parameter_format: 'POSITIONAL',
    components: [
      { type: 'HEADER', format: 'TEXT', text: 'Hello again' },
      { type: 'BODY', text: 'Hello, we are following up on our last conversation. Is there anything else we can do?' },
      { type: 'FOOTER', text: 'Customer support' },
      { type: 'BUTTONS', buttons: [quickReply('Yes, please'), quickReply('No, thank you')] },
    ],
  },
  {
    id: '2901000000000003',
    name: 'potvrzeni_terminu',
    language: 'cs',
    status: 'APPROVED',
    category: 'UTILITY',
    parameter_format: 'POSITIONAL',
    components: [
      { type: 'HEADER', format: 'TEXT', text: 'Termín {{1}}', example: { header_text: ['12. 5. 2026'] } },
      {
        type: 'BODY',
        text: 'Dobrý den, {{1}}, potvrzujeme návštěvu technika dne {{2}} v {{3}}. Pokud se Vám termín nehodí, odpovězte na tuto zprávu.',
        example: { body_text: [['Jana Nováková', '12. 5. 2026', '14:30']] },
      },
      { type: 'BUTTONS', buttons: [quickReply('Potvrzuji'), quickReply('Změnit termín')] },
    ],
    quality_score: { score: 'GREEN', date: 1_767_225_600 },
  },
  {
    id: '2901000000000004',
    name: 'stav_pozadavku',
    language: 'cs',
    status: 'APPROVED',
    category: 'UTILITY',
    parameter_format: 'NAMED',
    components: [
      {
        type: 'BODY',
        text: 'Dobrý den, {{jmeno}}, Váš požadavek {{cislo}} je ve stavu: {{stav}}.',
        example: {
          body_text_named_params: [
            { param_name: 'jmeno', example: 'Petr Svoboda' },
            { param_name: 'cislo', example: '2026-00125' },
            { param_name: 'stav', example: 'vyřešeno' },
          ],
        },
      },
      {
        type: 'BUTTONS',
        buttons: [url('Zobrazit požadavek', 'https://podpora.example.com/pozadavky/{{1}}', '2026-00125')],
      },
    ],
  },
  {
    id: '2901000000000005',
    name: 'order_shipped',
    language: 'en_US',
    status: 'APPROVED',
    category: 'UTILITY',
    parameter_format: 'NAMED',
    components: [
      { type: 'HEADER', format: 'IMAGE', example: { header_handle: ['4::aW1hZ2UvanBn'] } },
      {
        type: 'BODY',
        text: 'Hi {{first_name}}, your order {{order_number}} has been shipped.\nExpected delivery: {{delivery_date}}.',
        example: {
          body_text_named_params: [
            { param_name: 'first_name', example: 'Anna' },
            { param_name: 'order_number', example: '860198' },
            { param_name: 'delivery_date', example: 'Friday' },
          ],
        },
      },
      {
        type: 'BUTTONS',
        buttons: [
          url('Track the parcel', 'https://shop.example.com/track/{{1}}', '860198'),
          { type: 'PHONE_NUMBER', text: 'Call us', phone_number: '+420777000111' },
        ],
      },
    ],
    quality_score: { score: 'GREEN', date: 1_767_225_600 },
  },
  {
    id: '2901000000000006',
    name: 'pripominka_platby',
    language: 'cs',
    status: 'APPROVED',
    category: 'UTILITY',
    parameter_format: 'POSITIONAL',
    components: [
      { type: 'HEADER', format: 'DOCUMENT', example: { header_handle: ['4::YXBwbGljYXRpb24vcGRm'] } },
      {
        type: 'BODY',
        text: 'Dobrý den, připomínáme splatnost faktury č. {{1}} na částku {{2}} dne {{3}}. Fakturu najdete v příloze.',
        example: { body_text: [['2026001', '1 250 Kč', '30. 6. 2026']] },
      },
    ],
  },
  {
    id: '2901000000000007',
    name: 'order_shipped',
    language: 'cs',
    status: 'PENDING',
    category: 'UTILITY',
    parameter_format: 'NAMED',
    components: [
      { type: 'HEADER', format: 'IMAGE', example: { header_handle: ['4::aW1hZ2UvanBn'] } },
      {
        type: 'BODY',
        text: 'Dobrý den, {{first_name}}, Vaše objednávka {{order_number}} byla odeslána.',
        example: {
          body_text_named_params: [
            { param_name: 'first_name', example: 'Anna' },
            { param_name: 'order_number', example: '860198' },
          ],
        },
      },
    ],
  },
  {
    id: '2901000000000008',
    name: 'summer_sale',
    language: 'en_US',
    status: 'PAUSED',
    category: 'MARKETING',
    parameter_format: 'POSITIONAL',
    components: [
      {
        type: 'BODY',
        text: 'Our summer sale is on! Use the code {{1}} until {{2}}.',
        example: { body_text: [['SUN25', 'Friday']] },
      },
      { type: 'FOOTER', text: 'Reply STOP to unsubscribe' },
    ],
    quality_score: { score: 'RED', date: 1_767_225_600 },
    previous_category: 'UTILITY',
  },
  {
    id: '2901000000000009',
    name: 'vyherni_akce',
    language: 'cs',
    status: 'REJECTED',
    category: 'MARKETING',
    parameter_format: 'POSITIONAL',
    components: [
      { type: 'BODY', text: 'Gratulujeme! Vyhráli jste. Klikněte na {{1}}', example: { body_text: [['odkaz']] } },
    ],
    rejected_reason: 'INVALID_FORMAT',
  },
];

function quickReply(text: string): TemplateButton {
  return { type: 'QUICK_REPLY', text };
}

function url(text: string, address: string, example: string): TemplateButton {
  return { type: 'URL', text, url: address, example: [address.replace('{{1}}', example)] };
}
