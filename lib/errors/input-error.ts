/**
 * Wrong use or bad input: an error that the user can fix. Any other error is a bug in this program.
 *
 * `message` is one line: what is wrong and where, what was expected and found, and what to do. `details` is for the few
 * cases where a list helps (tensor names); the command line prints it indented.
 */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly details: readonly string[];

  constructor(message: string, details: readonly string[] = [], options?: ErrorOptions) {
    // Names from a damaged file may contain line breaks or terminal escape codes.
    super(
      message.replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`),
      options,
    );
    this.details = details;
  }
}
