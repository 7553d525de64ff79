'use strict';
// The texts of pages and emails: those that the source hands to translation, and the files with translations.
const fs = require('node:fs');
const path = require('node:path');
const { root } = require('./httpd.js');

const folder = path.join(root, 'conf', 'languages');

function sources(at = path.join(root, 'src')) {
  return fs.readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(at, entry.name);
    return entry.isDirectory() ? sources(file) : /\.[ch]$/.test(file) ? [file] : [];
  });
}

// Strings, characters and comments are one token each, so that no parenthesis in them counts.
const token = /\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)+'|\\\n|\b\w+\b|\s+|[\s\S]/g;

const unquoted = (literal) => JSON.parse(literal.replace(/\\'/g, "'"));

// The arguments of a call, each as its list of texts: literals that follow each other are one text.
function argumentsAt(tokens, at) {
  const given = [[]];
  let depth = 0;
  let joins = false;
  for (let i = at; i < tokens.length; i += 1) {
    const one = tokens[i];
    if (/^(?:\/\*|\\\n|\s)/.test(one)) continue;
    const texts = given.at(-1);
    if (one[0] === '"') {
      if (joins) texts[texts.length - 1] += unquoted(one);
      else texts.push(unquoted(one));
    }
    joins = one[0] === '"';
    if (one === '(') depth += 1;
    if (one === ')') depth -= 1;
    if (depth === 0) return given;
    if (one === ',' && depth === 1) given.push([]);
  }
  return given;
}

const position = { na_say: 1, na_say_with: 2, na_say_html: 2, NA_TEXT: 0 };

// The English texts of the source, each with the files that have it.
function collectTexts() {
  const found = new Map();
  for (const file of sources()) {
    const tokens = fs.readFileSync(file, 'utf8').match(token);
    tokens.forEach((name, i) => {
      if (!Object.hasOwn(position, name) || tokens[i + 1] !== '(') return;
      for (const text of argumentsAt(tokens, i + 1)[position[name]] || [])
        found.set(text, [...found.get(text) || [], path.relative(root, file)]);
    });
  }
  return found;
}

const readLanguage = (tag) => JSON.parse(fs.readFileSync(path.join(folder, `${tag}.json`), 'utf8'));
const tags = () => fs.readdirSync(folder).filter((name) => name.endsWith('.json')).map((name) => path.basename(name, '.json')).sort();

module.exports = { collectTexts, readLanguage, tags, folder };
