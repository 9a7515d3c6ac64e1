/**
 * Wrong use or bad input: something that the person at the other end can put right.
 *
 * `message` is one line that says what, where, what was expected, what was found and what to do.
 * `details` is for the few cases where a list helps (tensor names); the command line prints it indented.
 * Anything else that is thrown is a bug of ours.
 */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly details: readonly string[];

  constructor(message: string, details: readonly string[] = [], options?: ErrorOptions) {
    // Names from a damaged file may hold anything: a line break would make two lines, an escape code worse.
    super(
      message.replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`),
      options,
    );
    this.details = details;
  }
}
