/** An error as the Graph API answers it. */
export class GraphError extends Error {
  override name = 'GraphError';
  readonly code: number;
  readonly httpStatus: number;
  readonly subcode: number | undefined;
  readonly details: string | undefined;

  constructor(code: number, message: string, more: { httpStatus?: number; subcode?: number; details?: string } = {}) {
    super(message);
    this.code = code;
    this.httpStatus = more.httpStatus ?? httpStatusOf(code);
    this.subcode = more.subcode;
    this.details = more.details;
  }

  toBody(traceId: string): unknown {
    const { code, message, subcode, details } = this;
    return {
      error: {
        message,
        type: subcode === 33 ? 'GraphMethodException' : 'OAuthException',
        code,
        ...(details === undefined ? {} : { error_data: { messaging_product: 'whatsapp', details } }),
        ...(subcode === undefined ? {} : { error_subcode: subcode }),
        fbtrace_id: traceId,
      },
    };
  }
}

/** The texts of the codes that the sandbox raises by itself or is asked for most. */
const titles: Readonly<Record<number, string>> = {
  4: 'Application request limit reached',
  100: 'Invalid parameter',
  190: 'Invalid OAuth access token',
  368: 'Temporarily blocked for policies violations',
  80007: 'Rate limit issues',
  130429: 'Rate limit hit',
  130472: "User's number is part of an experiment",
  131000: 'Something went wrong',
  131008: 'Required parameter is missing',
  131009: 'Parameter value is not valid',
  131016: 'Service unavailable',
  131026: 'Message undeliverable',
  131030: 'Recipient phone number not in allowed list',
  131042: 'Business eligibility payment issue',
  131047: 'Re-engagement message',
  131048: 'Spam rate limit hit',
  131049: 'This message was not delivered to maintain healthy ecosystem engagement.',
  131050: 'User has stopped marketing messages',
  131051: 'Unsupported message type',
  131053: 'Media upload error',
  131056: '(Business Account, Consumer Account) pair rate limit hit',
  132000: 'Number of parameters does not match the expected number of params',
  132001: 'Template name does not exist in the translation',
  132012: 'Parameter format does not match format in the created template',
  132015: 'Template is paused',
  132018: 'Param text cannot have new-line/tab characters or more than 4 consecutive spaces',
};

export function titleOf(code: number): string {
  return titles[code] ?? 'An unknown error occurred';
}

export function graphError(code: number, details?: string): GraphError {
  return new GraphError(code, `(#${code}) ${titleOf(code)}`, details === undefined ? {} : { details });
}

/** Meta's answer to any id that does not exist or that the token may not see: not a 404. */
export function unknownObject(method: string, id: string): GraphError {
  const text =
    `Unsupported ${method.toLowerCase()} request. Object with ID '${id}' does not exist, cannot be loaded due to ` +
    'missing permissions, or does not support this operation. Please read the Graph API documentation at ' +
    'https://developers.facebook.com/docs/graph-api';
  return new GraphError(100, text, { subcode: 33 });
}

export function badToken(): GraphError {
  return new GraphError(190, 'Invalid OAuth access token - Cannot parse access token');
}

function httpStatusOf(code: number): number {
  if (code === 190 || code === 0) return 401;
  if (code === 132001) return 404;
  if (code === 2 || code === 131016) return 503;
  if (code === 131000 || code === 131057) return 500;
  if (code === 368 || code === 131031 || (code >= 200 && code <= 299)) return 403;
  return 400;
}
