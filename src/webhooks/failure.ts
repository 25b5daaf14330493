/** Why a connection to an address that may be called came to nothing, for the tenant. */

/** One of our own sentences by an error's code: no words of the other end or of Node. */
export function describeFailure(error: unknown): string {
  const code = codeOf(error);
  const known = reasons.get(code);
  if (known) return known;
  const tls = certificates.get(code);
  if (tls) return `TLS: ${tls} (${code})`;
  if (/^(CERT|ERR_TLS|ERR_SSL|UNABLE_TO|ERR_OSSL)_/.test(code) || code === 'EPROTO') {
    return `TLS: the handshake failed (${code})`;
  }
  // undici's parser gives some of its errors no code.
  if (code.startsWith('HPE_') || nameOf(error) === 'HTTPParserError') {
    return 'answered with something that is not HTTP';
  }
  return 'the connection failed';
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'the connection was refused'],
  ['ECONNRESET', 'the connection was closed without an answer'],
  ['EPIPE', 'the connection was closed without an answer'],
  ['UND_ERR_SOCKET', 'the connection was closed without an answer'],
  ['EHOSTUNREACH', 'the address cannot be reached'],
  ['ENETUNREACH', 'the address cannot be reached'],
  ['EADDRNOTAVAIL', 'the address cannot be reached'],
  ['ETIMEDOUT', 'timed out'],
  ['UND_ERR_HEADERS_OVERFLOW', 'answered with headers that are too long'],
]);

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const certificates: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'the certificate has expired'],
  ['CERT_NOT_YET_VALID', 'the certificate is not valid yet'],
  ['CERT_REVOKED', 'the certificate was revoked'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'the certificate is signed by itself'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'the certificate is signed by an authority that nobody knows'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'the certificate of its issuer is missing'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'the certificate of its issuer is missing'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'the certificate of its issuer is missing'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'the certificate is for another name'],
]);

/** Code of the error, or of what is behind it: undici and attempts at several addresses wrap it. */
function codeOf(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; depth += 1) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string') return code;
    at = at instanceof AggregateError ? at.errors[0] : at.cause;
  }
  return '';
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}
