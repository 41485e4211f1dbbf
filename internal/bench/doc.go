// Package bench measures the platform. It stands above app: it starts platforms as
// an operator would, drives them through the doors that everybody has, and looks
// at what they are made of where no door tells enough. Nothing that serves knows
// of it.
//
// # Measures
//
//   - [Authorize]: chip purchases over ISO 8583, in a closed loop or at a rate.
//   - [Overload]: more of them than can be decided, and what becomes of that.
//   - [Codec] and [Crypto]: what only computes, on one core.
//   - [Growth]: a big database beside a small one, and serve on the big one.
//   - [Compare]: all of this and more in one go, as the table of
//     docs/performance.md.
//
// BenchmarkControls, among the tests, tells what controls cost.
//
// A world is what most of them measure with: cards that were issued, terminals, and
// links over which these ask. What is stored before a growth world is measured
// comes from the use cases and the engine, not from SQL of its own.
//
// # To add one
//
// A measure of its own is an exported function (ctx, settings, log, writer,
// options) in a file of its name, and a command in cmd/sarraf. One that belongs
// into the table is a part of [CompareParts], a method of comparing that fills
// rows, and the rows themselves with their floors in table.go.
//
// # Invariants
//
//   - What is measured commits durably. Only what fills a growth world beforehand
//     waits for no disk.
//   - A measure whose payments were not answered as they must be returns
//     [app.ErrNotWell], whatever its figures.
//   - What is compared takes turns in one run.
//   - What a measure made is gone when it returns, but for what it was told to keep
//     and what lies in a database that it was given.
package bench
