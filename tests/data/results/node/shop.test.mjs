import assert from 'node:assert';
import { describe, it, test } from 'node:test';
test('price', () => { assert.strictEqual(2 + 2, 4); });
test('discount # of 10', () => { assert.strictEqual(9, 10, 'no <discount>\nsecond line'); });
test('till', { skip: 'the till is closed' }, () => {});
test('change', { todo: 'issue 7' }, () => { assert.ok(false); });
describe('stock', () => {
  it('empty', () => {});
  it('full', () => { throw new Error('no stock'); });
  describe('back room', () => { it('empty', () => {}); });
});
test('parent', async (t) => { await t.test('child \\ one', () => {}); });
