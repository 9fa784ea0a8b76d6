// The one style sheet of the dev pool's pages, in light and dark. Names no file, font or picture from elsewhere.

export const PAGE_STYLE = `
:root { color-scheme: light dark; --text: #1c2128; --soft: #59636e; --page: #f6f7f9; --card: #fff; --line: #d9dee4; --edge: #8a94a0; --mark: #0b6b4f; --tint: #e3f4ed; --on-mark: #fff; --bad: #b3261e; --bad-tint: #fdecea }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e9ef; --soft: #9aa5b1; --page: #0f1318; --card: #171c23; --line: #2c343e; --edge: #6b7683; --mark: #6cd6ae; --tint: #14302a; --on-mark: #06231a; --bad: #ff9d94; --bad-tint: #3a1b19 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.55 system-ui, sans-serif }
main { margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
main.wide { max-width: 62rem }
main.card { max-width: 27.5rem }
header p, .note { color: var(--soft); margin: .25rem 0 0 }
h1 { margin: 0; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin: 0 0 .75rem }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; margin-top: 1.5rem }
section.identity { border-color: var(--mark) }
table { border-collapse: collapse; width: 100%; text-align: left }
th, td { padding: .45rem 1rem .45rem 0; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere }
thead th { border-top: 0; color: var(--soft); font-size: .85rem; font-weight: 600 }
tbody th { font-weight: 500; white-space: nowrap }
code, pre, tbody th, .raw { font: .875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere }
.chip { display: inline-block; background: var(--tint); color: var(--mark); border-radius: .4rem; padding: 0 .5rem; margin: 0 .35rem .2rem 0; font-weight: 600 }
.raw { color: var(--soft) }
h1 code { font-size: 1.4rem; font-weight: 600 }
a { color: var(--mark); text-underline-offset: .2em }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px }
.card header { margin: 0 .25rem }
.card header p { font-size: .875rem }
.card h1 { font-size: 1.6rem; line-height: 1.25; margin-bottom: 1rem }
.card section { padding: 1.75rem }
.card section > * + * { margin-top: 1.1rem }
.card section > p { margin-bottom: 0 }
.field + .field, .field + button, .actions { margin-top: 1.1rem }
label { display: block; font-weight: 600; margin-bottom: .3rem }
.hint { display: block; color: var(--soft); font-size: .875rem; margin-top: .3rem }
input { width: 100%; font: inherit; color: inherit; background: var(--page); border: 1px solid var(--edge); border-radius: .5rem; padding: .6rem .75rem }
input[aria-invalid] { border-color: var(--bad) }
input.digits { font: 1.25rem/1.4 ui-monospace, "SF Mono", Menlo, Consolas, monospace; letter-spacing: .3em }
button, .button { display: block; width: 100%; font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; border-radius: .5rem; padding: .65rem 1rem; border: 1px solid var(--mark); background: var(--mark); color: var(--on-mark) }
button:hover, .button:hover { filter: brightness(1.08) }
button.second, .button.second { background: transparent; color: var(--text); border-color: var(--edge) }
button.second:hover, .button.second:hover { background: var(--tint); filter: none }
button.account { text-align: left }
button.account span { display: block; font-weight: 400; font-size: .875rem; color: var(--soft); overflow-wrap: anywhere }
.stack > * + * { margin-top: .6rem }
.alert, .notice { border-radius: .5rem; padding: .7rem .9rem; overflow-wrap: anywhere }
.alert { background: var(--bad-tint); color: var(--bad); border: 1px solid var(--bad) }
.notice { background: var(--tint); border: 1px solid var(--mark) }
.notice strong { font: 600 1.25rem/1.4 ui-monospace, "SF Mono", Menlo, Consolas, monospace; letter-spacing: .1em }
.alert p, .notice p { margin: 0 }
.or { display: flex; align-items: center; gap: .75rem; color: var(--soft); font-size: .875rem }
.or::before, .or::after { content: ""; flex: 1; border-top: 1px solid var(--line) }
.links { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .4rem 1rem; font-size: .9375rem }
.secret { overflow-wrap: anywhere; background: var(--page); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .75rem }
.banner { background: #8a5a00; color: #fff; border-radius: .5rem; padding: .5rem .9rem; font-weight: 600 }
@media (max-width: 40rem) {
  th, tbody th { white-space: normal; overflow-wrap: break-word }
  main.card { padding: 1.25rem .75rem 3rem }
  .card section { padding: 1.25rem }
}
`
