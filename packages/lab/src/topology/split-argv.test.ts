import { expect, test } from 'vitest';
import { QuoteError, splitArgv } from './split-argv.ts';

test.each([
  ['ip addr add  10.0.0.1/31 dev eth1', ['ip', 'addr', 'add', '10.0.0.1/31', 'dev', 'eth1']],
  [`sh -c 'echo "a b" > /tmp/x'`, ['sh', '-c', 'echo "a b" > /tmp/x']],
  [`a "b c"d '' "x\\"y"`, ['a', 'b cd', '', 'x"y']],
  ['a\\ b', ['a b']],
  ['', []],
])('%s', (line, argv) => {
  expect(splitArgv(line)).toEqual(argv);
});

test.each(["echo 'x", 'echo "x', 'echo x\\'])('%s is refused', (line) => {
  expect(() => splitArgv(line)).toThrow(QuoteError);
});
