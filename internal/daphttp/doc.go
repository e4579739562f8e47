// Package daphttp carries DAP and muster's own resources beside it between the
// members, the two hosts and the coordinator, over HTTPS.
//
// [NewLeader] and [NewHelper] turn the domain's Leader and Helper into
// handlers, and [Serve] runs one of them. [LeaderClient] and [HelperClient] are
// the other ends: what a member submits with, what the Leader reaches the
// Helper with, what the coordinator collects with. A caller sees the same
// answers and the same words of refusal as if both were one process.
//
// # Who is who
//
// Everything is TLS 1.3. A host's key is pinned in the charter, and so are the
// coordinator's and the Leader's as clients: [ServerTLS] and [ClientTLS] compare
// the SHA-256 of the other side's public key, and nothing else decides. Who is
// allowed to use a resource follows from the pin: aggregation jobs, aggregate
// shares, roster and amendments are the Leader's; collection jobs are the
// coordinator's. Uploads and receipts need no certificate: a receipt is signed
// by its member, and an upload without a receipt counts for nothing.
//
// # What is not trusted
//
// Bodies, headers, times and numbers of connections are limited on either side.
// Texts that a peer sends are shortened and cleared of control characters before
// anyone sees them. No redirect is followed and no proxy is asked.
//
// # Repeating
//
// Every request may be repeated: the same body has the same answer. So the
// clients repeat, with growing pauses, what the network dropped and what a host
// put off, and a test drops, doubles and delays at every point.
//
// The resources are specified in docs/spec/receipts.md and, for DAP itself, in
// draft-ietf-ppm-dap-18; docs/spec/dap-conformance.md goes through the draft
// section by section.
package daphttp
