/// The console's only style sheet: light and dark by the system's preference.
enum ConsoleStyle {
    static let sheet = """
        :root { color-scheme: light dark; --ink: #1c2430; --paper: #fbfbfa; --soft: #5c6675; --line: #d8dce2;
          --accent: #0b5cad; --good: #14733d; --bad: #b3261e; }
        @media (prefers-color-scheme: dark) {
          :root { --ink: #e6e9ee; --paper: #14181e; --soft: #9aa4b2; --line: #313945; --accent: #7db7f5;
            --good: #6fcf97; --bad: #ff8a80; }
        }
        * { box-sizing: border-box; }
        body { margin: 0 auto; padding: 1.5rem; max-width: 64rem; color: var(--ink); background: var(--paper);
          font: 1rem/1.5 system-ui, sans-serif; }
        header { display: flex; flex-wrap: wrap; gap: 1rem; align-items: baseline; justify-content: space-between; }
        h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
        nav { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; } form { margin: 0; }
        a { color: var(--accent); }
        a:focus-visible, button:focus-visible, input:focus-visible, .skip:focus { outline: 3px solid var(--accent);
          outline-offset: 2px; }
        .skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; }
        button { font: inherit; color: var(--ink); background: transparent; border: 1px solid var(--line);
          border-radius: .3rem; padding: .25rem .75rem; cursor: pointer; }
        input { font: inherit; width: 100%; padding: .4rem; color: inherit; background: transparent;
          border: 1px solid var(--soft); border-radius: .3rem; margin: .25rem 0 1rem; }
        table { width: 100%; border-collapse: collapse; }
        th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); }
        th { color: var(--soft); font-weight: 600; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
        .soft { color: var(--soft); } .good { color: var(--good); } .bad { color: var(--bad); }
        dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; margin: 1rem 0; }
        dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-size: 1.3rem; }
        .wide { overflow-x: auto; } td { vertical-align: top; } time { white-space: nowrap; }
        .filter { display: flex; flex-wrap: wrap; gap: 1rem; align-items: end; margin: 0 0 1rem; }
        .filter input { margin: .25rem 0 0; } .filter label { color: var(--soft); }
        .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
        summary { cursor: pointer; color: var(--accent); white-space: nowrap; }
        summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
        details form { margin-top: .25rem; } button.bad { border-color: currentcolor; white-space: nowrap; }
        .bar { display: block; width: 100%; min-width: 8rem; height: .6rem; margin-top: .45rem; fill: var(--accent);
          background: var(--line); border-radius: .3rem; }
        .bar.good { fill: var(--good); } .bar.bad { fill: var(--bad); } .bar.soft { fill: var(--soft); }
        .login { max-width: 24rem; margin: 4rem auto; }
        """
}
