// SPDX-License-Identifier: Apache-2.0
// Filters are plain links to #verdict=partly and the like, which page.css obeys by itself. With this
// they are combined, a text can be searched for, and #verdict=partly&kind=time is the address of what is
// shown. The notes stay in the language that was looked at last.
'use strict';
(() => {
  const root = document.documentElement;
  const bar = document.querySelector('.filters');
  const items = [...document.querySelectorAll('.matrix .claim, .claims tbody tr')];
  const field = document.createElement('input');
  const told = document.createElement('output');

  const mark = (link, on) => on ? link.setAttribute('aria-current', 'true') : link.removeAttribute('aria-current');

  const asked = () => {
    const hash = new URLSearchParams(location.hash.slice(1));
    return Object.fromEntries(['verdict', 'kind', 'text']
      .filter(key => hash.get(key) && hash.get(key) !== 'all').map(key => [key, hash.get(key)]));
  };
  const is = (item, name) =>
    !name || item.classList.contains(name) || item.querySelector('.' + CSS.escape(name)) !== null;
  const holds = (item, text) =>
    !text || (item.textContent + ' ' + item.title).toLowerCase().includes(text.toLowerCase());

  const show = () => {
    const want = asked();
    for (const item of items)
      item.hidden = !(is(item, want.verdict) && is(item, want.kind && 'kind-' + want.kind) && holds(item, want.text));
    for (const row of document.querySelectorAll('.matrix tbody tr'))
      row.hidden = !row.querySelector('.claim:not([hidden])');
    for (const link of bar.querySelectorAll('a')) {
      const [key, value] = link.id.split('=');
      mark(link, (want[key] || 'all') === value);
    }
    if (document.activeElement !== field) field.value = want.text || '';
    told.textContent = `${items.filter(item => !item.hidden).length} of ${items.length} shown`;
  };
  const ask = (want, remember) => {
    history[remember](null, '', '#' + new URLSearchParams(want));
    show();
  };

  if (bar) {
    root.classList.add('scripted');
    field.type = 'search';
    field.placeholder = 'search the claims';
    field.setAttribute('aria-label', field.placeholder);
    told.setAttribute('aria-live', 'polite');
    bar.append(field, told);
    bar.addEventListener('click', event => {
      const link = event.target.closest('a');
      if (!link) return;
      event.preventDefault();
      const [key, value] = link.id.split('='), want = asked();
      if (want[key] === value || value === 'all') delete want[key];
      else want[key] = value;
      ask(value === 'all' ? {} : want, 'pushState');
    });
    field.addEventListener('input', () => {
      const { text, ...want } = asked();
      ask(field.value ? { ...want, text: field.value } : want, 'replaceState');
    });
    addEventListener('hashchange', show);
    addEventListener('popstate', show);
    show();
  }

  const follow = () => {
    const target = document.querySelector(':target');
    const section = target && target.closest('.notes > section');
    if (section) root.dataset.notes = section.lang;
    for (const link of document.querySelectorAll('.languages a'))
      mark(link, link.lang === (root.dataset.notes || 'en'));
    if (section) target.scrollIntoView();
  };
  addEventListener('hashchange', follow);
  addEventListener('load', follow);         // before that there may be no target
})();
