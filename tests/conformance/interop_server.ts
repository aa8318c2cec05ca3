/**
 * The server of the interop client. A line of its output says on
 * which port it answers.
 *
 * @module
 */

import { addInteropService } from "./interop_service.ts";
import { serve } from "./serve.ts";

if (import.meta.main) {
  const { port } = await serve({ services: addInteropService });
  console.log(`listening on ${port}`);
}
