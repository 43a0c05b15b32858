// The body of an asynchronous function, after axe-core's own text: what it finds serious or worse.
const done = arguments[arguments.length - 1];
const options = {
    resultTypes: ['violations'],
    // The caller may name single rules.
    runOnly: typeof only !== 'undefined' ? { type: 'rule', values: only } : ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
};
// What stands behind a dialog is inert, and is looked at as a view of its own.
window.axe.run(document.querySelector('dialog[open]') || document, options).then(found => {
    const grave = found.violations.filter(rule => rule.impact === 'serious' || rule.impact === 'critical');
    const faults = grave.flatMap(rule => rule.nodes.slice(0, 5).map(node =>
        `${rule.impact} ${rule.id}: ${node.target.join(' ')} — ${(node.failureSummary || '').split('\n').slice(1, 3).join(' ').trim()}`));
    done({ faults, passed: window.axe.version });
}, error => done({ faults: [`axe failed: ${error}`], passed: null }));
