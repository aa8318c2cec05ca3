/**
 * The static table of HPACK (RFC 7541, appendix A).
 *
 * @module
 */

/** A line an entry, from index 1 on: the name and, after a space, the value. */
const ENTRIES = `:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`.split("\n").map((line): readonly [string, string] => {
  const space = line.indexOf(" ");
  return space < 0 ? [line, ""] : [line.slice(0, space), line.slice(space + 1)];
});

/** How many entries there are: the first index of the dynamic table less one. */
export const STATIC_LENGTH = 61;

/** Names by index; index 0 names nothing. */
export const STATIC_NAMES: readonly string[] = [
  "",
  ...ENTRIES.map(([name]) => name),
];

/** Values by index; index 0 names nothing. */
export const STATIC_VALUES: readonly string[] = [
  "",
  ...ENTRIES.map(([, value]) => value),
];
