/** Parity with the reference, tap by tap. Runs in a browser too. */
export * from "./golden.ts";
export * from "./verify.ts";
