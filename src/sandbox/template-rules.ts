import { graphError } from './graph-error.ts';
import { isObject } from './message-rules.ts';
import type { Payload } from './message-rules.ts';
import type { SandboxTemplate, TemplateComponent } from './template-samples.ts';

const mediaFormats: ReadonlySet<string | undefined> = new Set(['IMAGE', 'VIDEO', 'DOCUMENT']);

/** Throws Meta's error for a template that cannot be sent or does not fit its values; answers with its category. */
export function checkTemplateMessage(templates: readonly SandboxTemplate[], payload: Payload): string {
  const sent = isObject(payload.template) ? payload.template : {};
  const language = isObject(sent.language) ? sent.language.code : undefined;
  const template = templates.find((one) => one.name === sent.name && one.language === language);
  if (template?.status === 'PAUSED') throw graphError(132015, `The template ${template.name} is paused.`);
  if (template === undefined || template.status !== 'APPROVED') {
    throw graphError(132001, `template name (${String(sent.name)}) does not exist in ${String(language)}`);
  }

  const given = Array.isArray(sent.components) ? sent.components.filter(isObject) : [];
  for (const component of template.components) checkComponent(template, component, given);
  return template.category.toLowerCase();
}

function checkComponent(template: SandboxTemplate, component: TemplateComponent, given: Payload[]): void {
  if (component.type === 'BUTTONS') return checkButtons(component, given);
  const parameters = parametersOf(given.find(({ type }) => String(type).toUpperCase() === component.type));
  if (component.type === 'HEADER' && mediaFormats.has(component.format)) return checkMediaHeader(component, parameters);

  const expected = placeholders(component.text);
  if (parameters.length !== expected.length) {
    const where = component.type.toLowerCase();
    throw graphError(
      132000,
      `${where}: number of localizable_params (${parameters.length}) does not match the expected number of params (${expected.length})`,
    );
  }
  for (const parameter of parameters) checkText(parameter);
  if (template.parameter_format === 'NAMED') checkNames(expected, parameters);
}

function checkMediaHeader(component: TemplateComponent, parameters: Payload[]): void {
  const wanted = String(component.format).toLowerCase();
  if (parameters.length === 1 && parameters[0]?.type === wanted) return;
  throw graphError(132012, `header: Format mismatch, expected ${component.format}, received UNKNOWN`);
}

function checkButtons({ buttons = [] }: TemplateComponent, given: Payload[]): void {
  for (const [index, button] of buttons.entries()) {
    if (placeholders(button.url).length === 0) continue;
    const sent = given.find(
      (one) => String(one.type).toLowerCase() === 'button' && String(one.index) === String(index),
    );
    const [parameter] = parametersOf(sent);
    if (parameter === undefined) throw graphError(131008, `Button at index ${index} of type Url requires a parameter`);
    checkText(parameter);
  }
}

function checkText({ type, text, ...typed }: Payload): void {
  if (type === 'currency' || type === 'date_time') return checkFallback(type, typed[type]);
  if (type !== 'text') return;
  if (typeof text !== 'string' || text === '') throw graphError(131008, 'Parameter of type text is missing text value');
  if (/[\n\t]| {5,}/.test(text)) throw graphError(132018);
}

function checkFallback(type: string, value: unknown): void {
  const { fallback_value, code, amount_1000 } = isObject(value) ? value : {};
  const isPriced = type !== 'currency' || (typeof code === 'string' && Number.isInteger(amount_1000));
  if (typeof fallback_value === 'string' && fallback_value !== '' && isPriced) return;
  throw graphError(131008, `Parameter of type ${type} is missing a required key`);
}

function checkNames(expected: string[], parameters: Payload[]): void {
  const missing = expected.find((name) => !parameters.some(({ parameter_name }) => parameter_name === name));
  if (missing !== undefined) throw graphError(132000, `Parameter name is missing or wrong: ${missing}`);
}

function placeholders(text = ''): string[] {
  return [...new Set([...text.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, name = '']) => name))];
}

function parametersOf(component: Payload | undefined): Payload[] {
  return Array.isArray(component?.parameters) ? component.parameters.filter(isObject) : [];
}
