// A reporter for Node's runner: WORD<TAB>NAME of each test, the names of those it is in before it.
export default async function* names(events) {
  const parents = []
  for await (const { type, data } of events) {
    if (type === 'test:start') parents[data.nesting] = data.name
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const name = [...parents.slice(0, data.nesting), data.name].join('::')
    const word = data.skip !== undefined ? 'SKIP' : data.todo !== undefined ? 'XFAIL' : type === 'test:pass' ? 'PASS' : 'FAIL'
    yield `${word}\t${name}\n`
  }
}
