import { manifestContract } from "./manifest_contract.ts";
import { MemoryManifest } from "./memory_manifest.ts";

manifestContract("MemoryManifest", (wallMs) => {
  const manifest = new MemoryManifest({ wallMs });
  const { rows } = manifest;
  const reopen = () => Promise.resolve(new MemoryManifest({ wallMs, rows }));
  return Promise.resolve({ manifest, reopen });
});
