// Package fault proves, with real processes, what happens to a cycle when
// something breaks and when somebody cheats.
//
// Its tests hold the ceremony of two hosts once and then take the same sealed
// submissions through the rest of the cycle again and again: muster host serve
// at both hosts, muster host freeze and amend at the Leader, muster collect run
// and release at the coordinator, each a process of its own with a clock of its
// own, on SQLite and on PostgreSQL. In each run one thing breaks: a process is
// killed before, after or within a transaction, a connection is cut, held or
// sent twice, a disk is full, a clock is wrong. What must be the same at the end
// is everything: the release to the byte, both hosts' rosters and records, and
// that nothing was collected twice. docs/design/faults.md is the table.
//
// The tests are for Linux. A run of the ordinary tests takes a sample;
// MUSTER_LONG=1 takes all.
package fault
