// SPDX-License-Identifier: Apache-2.0
// Parses PowerShell with a real grammar (tree-sitter) and prints what the tests ask about: node psparse.cjs FILE...
// One JSON document: per file the syntax errors, operators that Windows PowerShell 5.1 does not have, every command that is
// called with its line, and every function with its parameters, attributes and help.
const fs = require('fs');
const path = require('path');
const modules = process.env.CRLAGENT_NPM;
const { Parser, Language } = require(path.join(modules, 'web-tree-sitter', 'web-tree-sitter.cjs'));

const LATER = /^(\?\?|\?\?=|\?\.|&&|\|\|)$/;

function* nodes(node) {
    yield node;
    for (const child of node.children) yield* nodes(child);
}

function describeFunction(node) {
    const all = [...nodes(node)];
    const body = node.text;
    const help = (body.match(/<#([\s\S]*?)#>/) || ['', ''])[1];
    const block = all.find(n => n.type === 'param_block');
    const parameters = [];
    for (const n of block ? nodes(block) : []) {
        if (n.type === 'script_parameter') {
            const name = n.children.find(c => c.type === 'variable');
            parameters.push(name.text.slice(1));
        }
    }
    return {
        name: all.find(n => n.type === 'function_name').text,
        line: node.startPosition.row + 1,
        cmdletBinding: /\[CmdletBinding\(/.test(body),
        shouldProcess: /\[CmdletBinding\([^)]*SupportsShouldProcess/.test(body),
        asks: /\$PSCmdlet\.ShouldProcess\(/.test(body),
        synopsis: /\.SYNOPSIS\s+\S/.test(help),
        example: /\.EXAMPLE\s+\S/.test(help),
        helped: [...help.matchAll(/\.PARAMETER\s+(\w+)/g)].map(m => m[1]),
        parameters,
    };
}

function describeFile(parser, file) {
    const tree = parser.parse(fs.readFileSync(file, 'utf8'));
    const out = { errors: [], later: [], functions: [], commands: [] };
    for (const n of nodes(tree.rootNode)) {
        const line = n.startPosition.row + 1;
        if (n.isError || n.isMissing) out.errors.push(`${line}: ${n.isMissing ? 'missing ' + n.type : n.text.slice(0, 60)}`);
        if (n.childCount === 0 && LATER.test(n.text)) out.later.push(`${line}: ${n.text}`);
        if (n.type === 'ternary_expression' || n.type === 'pipeline_chain_tail') out.later.push(`${line}: ${n.text.slice(0, 60)}`);
        if (n.type === 'function_statement') out.functions.push(describeFunction(n));
        if (n.type === 'command_name') out.commands.push({ name: n.text, line });
    }
    return out;
}

(async () => {
    await Parser.init();
    const language = await Language.load(path.join(modules, 'tree-sitter-powershell', 'tree-sitter-powershell.wasm'));
    const parser = new Parser();
    parser.setLanguage(language);
    const result = {};
    for (const file of process.argv.slice(2)) result[path.basename(file)] = describeFile(parser, file);
    console.log(JSON.stringify(result));
})();
