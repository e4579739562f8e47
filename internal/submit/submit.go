// Package submit seals a member's answers. It is the only way from answers to a
// host, and it runs on the member's own computer.
//
// [Sealer.Seal] turns an assessment into a [Submission]: a DAP report whose two
// input shares are each encrypted to one host, and the member's signed receipt
// over both. What leaves the machine is the submission alone; either half says
// nothing about the answers without the other. [Deliver] takes it to both hosts,
// from the same machine, or as a [File] from any other, which is checked there
// without answers and without a key.
package submit

import (
	"fmt"
	"io"
	"time"

	"muster/dap"
	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/vdaf"
)

// Config is what a member seals with.
type Config struct {
	Charter coalition.Charter // opened and checked
	Cohort  string
	Layout  *framework.Layout // of the member's own copy of the framework
	Member  coalition.MemberID
	Signer  *keys.Signer
	Rand    io.Reader // crypto/rand.Reader outside tests
	Now     func() time.Time
}

// Sealer seals for one cycle. It is safe for concurrent use if Rand is.
type Sealer struct {
	cfg     Config
	task    coalition.OpenedTask
	prio3   *vdaf.Prio3
	aad     *dap.TaskAad
	context []byte
	leader  dap.HpkeConfig
	helper  dap.HpkeConfig
}

// New checks that the charter asks what the member's framework says and that
// the member's key is the one it lists.
func New(cfg Config) (*Sealer, error) {
	task, err := cfg.Charter.OpenTask(cfg.Cohort)
	if err != nil {
		return nil, err
	}
	key, ok := task.MemberKey(cfg.Member)
	if !ok {
		return nil, errs.New(errs.Denied, fmt.Sprintf("%s is not in the cohort %s", cfg.Member, cfg.Cohort), "ask the coordinator under which name the charter lists this member")
	}
	if key != cfg.Signer.Public() {
		return nil, errs.New(errs.Denied, fmt.Sprintf("the charter lists another key for %s", cfg.Member), "sign with the key that the coordinator enrolled")
	}
	if digest := cfg.Layout.Digest(); string(digest[:]) != string(task.Configuration.TaskInfo) {
		return nil, errs.New(errs.Conflict, "the charter asks for another framework than these answers were given to", "load the framework that the charter names")
	}
	if !task.CountsLayout(cfg.Charter.Layout) {
		return nil, errs.New(errs.Invalid, "the charter's task does not count the blocks of the layout, one bucket of each", "do not seal; ask the coordinator which program wrote this charter")
	}
	if err := disclosure.RequireSafe(cfg.Charter); err != nil {
		return nil, errs.Wrap(err, errs.Denied, errs.Describe(err).Message, "do not seal; ask the coordinator why the hosts signed this charter")
	}
	s := &Sealer{cfg: cfg, task: task, context: task.Variant.VdafContext(task.ID)}
	if s.prio3, err = vdaf.FromConfig(2, vdaf.ID(task.Configuration.VdafType), task.Configuration.VdafConfiguration); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the charter's VDAF configuration cannot be read", "")
	}
	if s.leader, err = choose(task.LeaderHPKE); err != nil {
		return nil, err
	}
	if s.helper, err = choose(task.HelperHPKE); err != nil {
		return nil, err
	}
	s.aad, err = dap.NewTaskAad(task.Variant, task.ID, task.Configuration)
	return s, err
}

// choose returns the configuration to seal to: the hybrid one where a host
// offers both, since what is recorded today may be opened in years.
func choose(list dap.HpkeConfigList) (dap.HpkeConfig, error) {
	if config, err := list.Choose(dap.SuiteMLKEM768X25519); err == nil {
		return config, nil
	}
	return list.Choose(dap.SuiteX25519)
}

// Submission is what leaves the member's machine.
type Submission struct {
	Upload  []byte // a dap.UploadRequest with one report
	Receipt coalition.SignedReceipt
}

// Seal returns the submission of the member's assessment. before is the
// assessment of the previous cycle, or nil. A submission with a higher sequence
// number, from 1, replaces one with a lower.
func (s *Sealer) Seal(now, before *assess.Assessment, sequence uint64) (Submission, error) {
	if sequence == 0 {
		return Submission{}, errs.New(errs.Invalid, "a submission has the sequence number 0", "number submissions from 1")
	}
	measurement, err := assess.Measurement(s.cfg.Layout, now, before)
	if err != nil {
		return Submission{}, err
	}
	if coalition.Fold(now.Member) != coalition.Fold(string(s.cfg.Member)) {
		return Submission{}, errs.New(errs.Invalid, fmt.Sprintf("these are the answers of %s, and %s seals", errs.Quote(now.Member), s.cfg.Member),
			"every member seals its own answers")
	}
	var id dap.ReportID
	if _, err := io.ReadFull(s.cfg.Rand, id[:]); err != nil {
		return Submission{}, fmt.Errorf("draw a report id: %w", err)
	}
	random := make([]byte, s.prio3.RandSize())
	if _, err := io.ReadFull(s.cfg.Rand, random); err != nil {
		return Submission{}, fmt.Errorf("draw the sharing randomness: %w", err)
	}
	nonce := [vdaf.NonceSize]byte(id)
	publicShare, shares, err := s.prio3.Shard(s.context, measurement, &nonce, random)
	if err != nil {
		return Submission{}, fmt.Errorf("split the answers of %s: %w", s.cfg.Member, err)
	}
	// The time says which cycle, not when: every member sends the same.
	metadata := dap.ReportMetadata{ReportID: id, Time: s.task.Interval.Start}
	aad, err := s.aad.Report(metadata, publicShare)
	if err != nil {
		return Submission{}, err
	}
	report := dap.Report{ReportMetadata: metadata, PublicShare: publicShare}
	if report.LeaderEncryptedInputShare, err = aad.Seal(s.leader, dap.RoleLeader, dap.PlaintextInputShare{Payload: shares[0]}); err != nil {
		return Submission{}, err
	}
	if report.HelperEncryptedInputShare, err = aad.Seal(s.helper, dap.RoleHelper, dap.PlaintextInputShare{Payload: shares[1]}); err != nil {
		return Submission{}, err
	}
	receipt, err := s.receipt(report, sequence)
	if err != nil {
		return Submission{}, err
	}
	upload, err := dap.Encode(s.task.Variant, dap.UploadRequest{Reports: []dap.Report{report}})
	if err != nil {
		return Submission{}, err
	}
	return Submission{Upload: upload, Receipt: receipt}, nil
}

func (s *Sealer) receipt(report dap.Report, sequence uint64) (coalition.SignedReceipt, error) {
	leader, err := coalition.PartDigest(report.ReportMetadata, report.PublicShare, report.LeaderEncryptedInputShare)
	if err != nil {
		return coalition.SignedReceipt{}, err
	}
	helper, err := coalition.PartDigest(report.ReportMetadata, report.PublicShare, report.HelperEncryptedInputShare)
	if err != nil {
		return coalition.SignedReceipt{}, err
	}
	r := coalition.NewReceipt(s.task.ID, s.cfg.Member, sequence, s.cfg.Now().Unix(), report.ReportMetadata.ReportID, leader, helper)
	return r.Sign(s.cfg.Signer)
}
