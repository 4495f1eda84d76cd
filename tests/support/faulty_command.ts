/**
 * The command `main.ts` in a process where things go wrong when a test says so: SIGCONT leaves a
 * rejection that nobody handles and a timer that throws, SIGWINCH takes the listener away.
 *
 * @module
 */
/** Fails what the listener is waiting for, once there is one. */
let loseListener = () => {};

const listen = Deno.listen;
Deno.listen = ((options: Deno.ListenOptions) => {
  const listener = listen(options), { promise: lost, reject } = Promise.withResolvers<never>();
  lost.catch(() => {});
  loseListener = () => reject(new Deno.errors.NotSupported("no more of that (os error 95)"));
  const accept = listener.accept.bind(listener);
  listener.accept = () => Promise.race([accept(), lost]);
  return listener;
}) as typeof Deno.listen;

Deno.addSignalListener("SIGCONT", () => {
  void Promise.reject(new Error("a planted rejection"));
  setTimeout(() => {
    throw new Error("a planted error");
  }, 0);
});
Deno.addSignalListener("SIGWINCH", () => loseListener());

await import("../../main.ts");
