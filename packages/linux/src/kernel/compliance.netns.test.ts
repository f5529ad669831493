import { describeKernel } from '../testing/describe-kernel.ts';
import { netns } from '../testing/netns.ts';
import { openKernel } from './open-kernel.ts';

describeKernel('netlink kernel', async () => {
  await using made = new AsyncDisposableStack();
  const near = made.use(await netns());
  const far = made.use(await netns());
  const kernel = made.use(openKernel({ namespace: near.path }));
  const other = made.use(openKernel({ namespace: near.path }));
  const peer = made.use(openKernel({ namespace: far.path }));
  const owned = made.move();
  return {
    kernel,
    other,
    peer,
    peerNamespace: far.path,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
});
