/** The style of report pages. `themed` charts use --ink, --strong, --weak and --faint. */
export const style = `
:root {
  --paper: #ffffff; --card: #f6f7f9; --ink: #222222; --weak: #6b6f76; --faint: #e1e3e6; --strong: #1f62aa;
  --good: #1a7f37; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --card: #1d2127; --ink: #e4e6e9; --weak: #9aa1aa; --faint: #333941; --strong: #5b9fe8;
    --good: #58c472; --bad: #ff8a80;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Noto Sans", Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 80px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 20px; margin: 40px 0 12px; overflow-wrap: anywhere; }
h3 { font-size: 17px; margin: 28px 0 10px; overflow-wrap: anywhere; }
h4 { font-size: 15px; margin: 22px 0 8px; }
small { color: var(--weak); font-weight: 400; font-size: 13px; }
a { color: var(--strong); }
code { font: 13px ui-monospace, "DejaVu Sans Mono", monospace; background: var(--card); padding: 1px 5px; border-radius: 4px; overflow-wrap: anywhere; }
.weak { color: var(--weak); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; }
th, td { padding: 4px 14px 4px 0; text-align: left; vertical-align: top; white-space: nowrap; }
td:last-child { white-space: normal; }
.figures td:last-child { white-space: nowrap; }
thead th { color: var(--weak); font-weight: 500; border-bottom: 1px solid var(--faint); }
tbody th { font-weight: 500; }
tr.first > * { border-top: 1px solid var(--faint); padding-top: 8px; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.match { color: var(--good); }
.differs { color: var(--bad); font-weight: 600; }
.informative { color: var(--weak); }
figure { margin: 24px 0; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(480px, 100%), 1fr)); gap: 0 24px; }
.charts figure { margin: 8px 0; }
section h3 { margin-top: 0; }
section { margin-top: 28px; padding-top: 22px; border-top: 1px solid var(--faint); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0 0 16px; font-size: 14px; }
dt { color: var(--weak); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
dd ul { margin: 4px 0 0; padding-left: 18px; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 14px; }
.card { background: var(--card); border-radius: 8px; padding: 12px; min-width: 0; }
.card p { margin: 0 0 10px; font-size: 14px; overflow-wrap: anywhere; }
.pictures { display: grid; grid-template-columns: 1fr 1fr; gap: 10px; }
.pictures > div { min-width: 0; }
.pictures img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--faint); border-radius: 4px; }
.pictures small { display: block; margin-top: 4px; }
.pictures .name, .pictures .text span { font-size: 13px; overflow-wrap: anywhere; }
@media (max-width: 600px) {
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 8px; }
  .figures { font-size: 13px; }
  .figures th, .figures td { padding-right: 9px; }
  figure svg { max-width: none; min-width: 540px; }
}
`.trim();
