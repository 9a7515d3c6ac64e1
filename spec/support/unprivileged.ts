/** The root user may read and write everything, whatever the permissions. */

const nobody = 65_534;

/** Calls `use` as a user whom permissions restrict: this one, or nobody instead of root. */
export async function unprivileged<T>(use: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return use();
  process.seteuid!(nobody);
  try {
    return await use();
  } finally {
    process.seteuid!(0);
  }
}
