/**
 * What the exit code of a command says. `larder run` gives the command's own.
 *
 * @module
 */

/** Done; the value is there. */
export const OK = 0;
/** The value is not there, is damaged, or it failed. */
export const FAILED = 1;
/** The command line, a namespace or a key is wrong. */
export const WRONG_USE = 2;
/** No server answers. */
export const UNREACHABLE = 3;
