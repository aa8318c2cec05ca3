/**
 * What a root looks like that serves other users of its machine: they may pass
 * through its folders and look into none.
 *
 * @module
 */

/** The root: whoever knows a name in it gets there. */
export const SHARED_ROOT_MODE = 0o711;
/** Staging: everybody makes files, and touches nobody else's. */
export const SHARED_STAGING_MODE = 0o1733;
/** What says that staging was made so. */
export const STICKY_BIT = 0o1000;
/** A namespace: whoever knows a key reads its value. */
export const SHARED_NAMESPACE_MODE = 0o711;
/** A namespace of a group: its members see what is in it. */
export const GROUP_NAMESPACE_MODE = 0o750;
/** Of everything else, and of a root that serves its own user. */
export const OWN_FOLDER_MODE = 0o700;

/**
 * Whether a namespace's folder has been opened to others.
 *
 * @param mode What it says of itself; more than permission bits may be in it.
 */
export function isOpened(mode: number): boolean {
  const bits = mode & 0o777;
  return bits === SHARED_NAMESPACE_MODE || bits === GROUP_NAMESPACE_MODE;
}

/** The group of some namespaces. */
export interface GroupNumber {
  /** `*` for all, `a.*` for everything below `a`, or one namespace. */
  readonly pattern: string;
  readonly gid: number;
}

/**
 * The group of a namespace: the narrowest pattern decides.
 *
 * @param groups In any order.
 * @returns Its number; `undefined`: it has none.
 */
export function groupOf(
  groups: readonly GroupNumber[],
  namespace: string,
): number | undefined {
  let narrowest: GroupNumber | undefined;
  for (const group of groups) {
    if (!fits(group.pattern, namespace)) continue;
    if (group.pattern === namespace) return group.gid;
    if (group.pattern.length <= (narrowest?.pattern.length ?? 0)) continue;
    narrowest = group;
  }
  return narrowest?.gid;
}

function fits(pattern: string, namespace: string): boolean {
  if (pattern === "*" || pattern === namespace) return true;
  return pattern.endsWith(".*") && namespace.startsWith(pattern.slice(0, -1));
}

/** What is wanted of a namespace's folder, where others are served. */
export interface WantedModes {
  readonly mode: number;
  /** Whose group it has to be; `undefined`: whatever it is. */
  readonly gid?: number;
}

/**
 * What a namespace's folder has to become.
 *
 * @param found What it is, and the group of the server's own folders.
 * @param group What {@linkcode groupOf} says.
 * @returns `undefined`: it is as it should be, or as somebody wants it.
 */
export function wantedModes(
  found: { readonly mode: number; readonly gid: number; readonly own: number },
  group: number | undefined,
): WantedModes | undefined {
  const mode = found.mode & 0o777;
  if (group !== undefined) {
    return found.gid === group && mode === GROUP_NAMESPACE_MODE
      ? undefined
      : { mode: GROUP_NAMESPACE_MODE, gid: group };
  }
  // Of a group that is not ours: somebody gave it to them, and to nobody else.
  const isGroups = found.gid !== found.own && (mode & 0o007) === 0;
  return isGroups || mode === SHARED_NAMESPACE_MODE
    ? undefined
    : { mode: SHARED_NAMESPACE_MODE };
}
