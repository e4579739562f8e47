// Package dap has the messages, identifiers, times and cryptography of the
// Distributed Aggregation Protocol for privacy-preserving measurement (DAP). It
// does no I/O, reads no clock, keeps no state and knows no VDAF: inputs, proofs
// and aggregates are bytes to it.
//
// In DAP a client splits a measurement in two shares, seals one for the Leader
// and one for the Helper, and uploads both. The two aggregators verify the
// shares together without seeing the measurement and add them up. The Collector
// opens both sums; together they are the total, and nothing else.
//
// # Versions
//
// The text is draft-ietf-ppm-dap-18; section numbers in this package are its.
// [Variant18] is the default everywhere. [Variant19] is what is known of the
// next draft and unconfirmed.
//
//	section    subject                            here
//	3          identifiers in URLs                TaskID, ReportID, …, JobID
//	3.6        problems                           Problem, ProblemType
//	4.1        roles, ciphertexts, report errors  Role, HpkeCiphertext, ReportError
//	4.1.1      times                              Time, Duration, Interval, TimeFromUnix
//	4.2        tasks                              TaskConfiguration, Extension, DeriveTaskID
//	4.4.1      HPKE configurations                HpkeConfigList, HpkeKeypair, Suite
//	4.4.2      upload                             Report, UploadRequest, UploadErrors
//	4.4.2.1    sealing input shares               TaskAad, ReportAad, PlaintextInputShare
//	4.5        aggregation                        AggregationJobInitReq, AggregationJobResp, …
//	4.5.4.3    checksum of a batch                Checksum
//	4.6        collection                         CollectionJobReq, AggregateShareReq, …
//	4.6.7      sealing aggregate shares           TaskAad, CollectionAad
//	5          batch modes                        BatchMode, Query, BatchSelector
//	8.6.2      verification key                   VerifyKey
//	9.1        media types                        MediaType
//
// # Messages
//
// Every message is a structure with the draft's field names. [Decode] and
// [Encode] take the variant; the methods of package encoding use [Variant18].
//
// Decoding is strict. No byte may follow, lists of extensions are in strictly
// increasing order, code points that are reserved or unknown are refused where
// this package has to understand them, and [MaxUploadReports] and the constants
// beside it bound every message. So each message has one encoding, equal
// messages have equal bytes, and a digest or [JobID] over the bytes identifies
// the message. Encoding refuses what decoding would. Errors are a [FormatError],
// which names the field and never quotes the content.
//
// This package also refuses what the draft allows but nobody means: an upload
// or a job without reports, a job that names a report twice, a time precision
// of 0, URLs with spaces.
//
// # Sealing
//
// A share is sealed with HPKE (RFC 9180, package crypto/hpke) and bound to the
// variant, both roles, the task's id and configuration, and to the report or
// the collection. If one bit of these differs between the two sides, it does
// not open: [ErrDecrypt] is how a disagreement about a task shows.
//
// The task's part is encoded once, by [NewTaskAad], and the report's part once
// for both shares:
//
//	task, err := dap.NewTaskAad(dap.Variant18, id, cfg)
//	report, err := task.Report(metadata, publicShare)
//	leader, err := report.Seal(leaderConfig, dap.RoleLeader, leaderShare)
//	helper, err := report.Seal(helperConfig, dap.RoleHelper, helperShare)
//
// and on the other side
//
//	share, err := report.Open(keypair, dap.RoleHelper, helper)
//
// Who has the structures at hand and no speed to lose calls [SealInputShare]
// and [HpkeKeypair.OpenInputShare].
//
// Two suites are supported: [SuiteX25519], which every implementation has, and
// [SuiteMLKEM768X25519] against those who record today and decrypt later.
//
// # What the caller does
//
// Whether a message is right for the moment is the caller's business: that the
// task is known, the batch mode is the task's, all extensions are known
// ([UnknownExtensions], [SharedExtension]), a report's time is inside the task's
// interval and not in the future, answers have the ids of the request in its
// order, nothing is counted twice. Report ids and the randomness of the VDAF
// are the caller's too; only HPKE draws its own ([GenerateHpkeKeypair] says
// why).
//
// Everything here is safe for concurrent use as long as nobody changes a
// message while it is read.
package dap
