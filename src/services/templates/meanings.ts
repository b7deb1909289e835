/** What the text of a value stands for, so that WhatsApp may write it in the customer's own way. */
export type ValueMeaning = { currency: CurrencyAmount | null; dateTime: DateParts | null };

export type CurrencyAmount = {
  /** ISO 4217, e.g. CZK. */
  code: string;
  /** In whole units of the currency, e.g. 100.99. */
  amount: number;
};

/** As far as they are known; in the time of the text, without a zone. */
export type DateParts = {
  year: number | null;
  month: number | null;
  dayOfMonth: number | null;
  /** 1 is Monday. */
  dayOfWeek: number | null;
  hour: number | null;
  minute: number | null;
};

const ranges: Readonly<Record<keyof DateParts, readonly [number, number]>> = {
  year: [1, 9_999],
  month: [1, 12],
  dayOfMonth: [1, 31],
  dayOfWeek: [1, 7],
  hour: [0, 23],
  minute: [0, 59],
};

/** A text stands for one thing, and for one that there is. */
export function isPossible({ currency, dateTime }: ValueMeaning): boolean {
  if (currency && dateTime) return false;
  return currency ? isAmount(currency) : dateTime !== null && isDate(dateTime);
}

/** Meta's parameter for a text that stands for something. */
export function meantParameter({ currency, dateTime }: ValueMeaning, text: string): Record<string, unknown> {
  if (currency)
    return {
      type: 'currency',
      currency: { fallback_value: text, code: currency.code, amount_1000: thousandths(currency) },
    };
  return { type: 'date_time', date_time: { fallback_value: text, ...(dateTime ? datePayload(dateTime) : {}) } };
}

function isAmount(currency: CurrencyAmount): boolean {
  return /^[A-Z]{3}$/.test(currency.code) && Number.isSafeInteger(thousandths(currency));
}

function thousandths({ amount }: CurrencyAmount): number {
  return Math.round(amount * 1_000);
}

function isDate(parts: DateParts): boolean {
  return Object.entries(ranges).every(([name, [least, most]]) => {
    // The keys of `ranges` are those of the parts.
    const part = parts[name as keyof DateParts];
    return part === null || (part >= least && part <= most);
  });
}

function datePayload({ year, month, dayOfMonth, dayOfWeek, hour, minute }: DateParts): Record<string, unknown> {
  const calendar = year === null ? null : 'GREGORIAN';
  const parts = { calendar, year, month, day_of_month: dayOfMonth, day_of_week: dayOfWeek, hour, minute };
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== null));
}
