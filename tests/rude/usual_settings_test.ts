/** Kinds of rude clients that leave a server nothing to remember share one. */

import { rudeKindsTest } from "./arena.ts";
import { DROPS } from "./drops.ts";
import { FLOODS } from "./floods.ts";
import { FUZZ } from "./fuzz.ts";
import { GARBAGE } from "./garbage.ts";
import { GOAWAYS } from "./goaway.ts";
import { MALFORMED } from "./malformed.ts";
import { NOT_HTTP2 } from "./not_http2.ts";
import { ODD_CALLS } from "./odd_answers.ts";
import { OVERSIZED_HEADERS } from "./oversized_headers.ts";

rudeKindsTest("rude clients of a server with the usual settings", [
  GOAWAYS,
  MALFORMED,
  NOT_HTTP2,
  DROPS,
  FUZZ,
  ODD_CALLS,
  OVERSIZED_HEADERS,
  GARBAGE,
  FLOODS,
]);
