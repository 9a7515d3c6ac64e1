/** How much memory a process took at most: it says so itself, on standard error, when it ends. */

/** Arguments for Node. */
export const reportingPeak = [
  "--import",
  "data:text/javascript,process.on('exit',()=>console.error('peak',process.resourceUsage().maxRSS))",
];

/** In bytes. */
export function peakMemory(stderr: string): number {
  return Number(/peak (\d+)/.exec(stderr)?.[1]) * 1024;
}
