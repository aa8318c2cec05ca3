import { manifestContract, type OpenForTest } from "./manifest_contract.ts";
import { MemoryManifest } from "./memory_manifest.ts";
import { MemoryRows } from "./memory_rows.ts";
import { usageContract } from "./usage_contract.ts";

const open: OpenForTest = (wallMs, originals) => {
  const rows = new MemoryRows();
  for (const entry of originals) rows.putOriginal(entry);
  const manifest = new MemoryManifest({ wallMs, rows });
  const reopen = () => Promise.resolve(new MemoryManifest({ wallMs, rows }));
  return Promise.resolve({ manifest, reopen });
};
manifestContract("MemoryManifest", open);
usageContract("MemoryManifest", open);
