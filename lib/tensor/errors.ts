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
    super(message, options);
    this.details = details;
  }
}
