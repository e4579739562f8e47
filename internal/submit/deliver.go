package submit

import (
	"context"
	"errors"
	"fmt"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
)

// Leader is the Leader as a member reaches it.
type Leader interface {
	Receipts
	// Upload takes an UploadRequest; what it returns is empty or an UploadErrors.
	Upload(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error)
}

// Receipts is a host's place for receipts.
type Receipts interface {
	// Acknowledge takes a receipt. A nil error acknowledges it; the same again
	// is no error.
	Acknowledge(ctx context.Context, r coalition.SignedReceipt) (coalition.Acknowledgement, error)
}

// Delivery says how far a delivery came. The submission counts when both hosts
// have acknowledged its receipt.
type Delivery struct {
	Uploaded bool // the Leader holds both halves
	Leader   *coalition.Acknowledgement
	Helper   *coalition.Acknowledgement
}

// Complete reports whether both hosts have acknowledged the receipt.
func (d Delivery) Complete() bool { return d.Leader != nil && d.Helper != nil }

// Deliver uploads a submission and hands its receipt to both hosts, the Leader
// first: where nothing reached the Leader, the Helper holds nothing either, and
// the hosts' lists do not differ. A Leader that holds as many uploads as it may,
// because a stranger sent them, takes that whose receipt it has, so it gets the
// receipt and the upload again. With an error it may be called again with the
// same submission; the Delivery says what was done until then.
func Deliver(ctx context.Context, task coalition.OpenedTask, sub Submission, leader Leader, helper Receipts) (Delivery, error) {
	var d Delivery
	answer, err := leader.Upload(ctx, task.ID, sub.Upload)
	if err != nil {
		return d, fmt.Errorf("upload: %w", err)
	}
	if refused := readUploadErrors(task, answer); refused != nil {
		if _, dropped := errors.AsType[*droppedError](refused); !dropped {
			return d, refused
		}
		switch _, err := leader.Acknowledge(ctx, sub.Receipt); {
		case errs.KindOf(err) == errs.Conflict:
			return d, fmt.Errorf("the Leader's receipt: %w", err) // which says since when, and what can be done
		case err != nil:
			return d, refused
		}
		if answer, err = leader.Upload(ctx, task.ID, sub.Upload); err != nil {
			return d, fmt.Errorf("upload: %w", err)
		}
		if err := readUploadErrors(task, answer); err != nil {
			return d, err
		}
	}
	d.Uploaded = true
	fromLeader, err := leader.Acknowledge(ctx, sub.Receipt)
	if err != nil {
		return d, fmt.Errorf("the Leader's receipt: %w", err)
	}
	d.Leader = &fromLeader
	fromHelper, err := helper.Acknowledge(ctx, sub.Receipt)
	if err != nil {
		return d, fmt.Errorf("the Helper's receipt: %w", err)
	}
	d.Helper = &fromHelper
	return d, nil
}

// Deliver delivers a submission that the sealer sealed, see [Deliver].
func (s *Sealer) Deliver(ctx context.Context, sub Submission, leader Leader, helper Receipts) error {
	_, err := Deliver(ctx, s.task, sub, leader, helper)
	return err
}

// readUploadErrors returns why the one report was refused, or nil.
func readUploadErrors(task coalition.OpenedTask, answer []byte) error {
	if len(answer) == 0 {
		return nil
	}
	refused, err := dap.Decode[dap.UploadErrors](task.Variant, answer)
	if err != nil {
		return errs.Wrap(err, errs.Unavailable, "the Leader's answer to the upload cannot be read", "deliver the same submission again")
	}
	if len(refused.Status) == 0 {
		return nil
	}
	// One report was sent, so whatever the answer names is it.
	reason := refused.Status[0].Error
	message, hint := "the Leader did not take the submission: "+reason.String(), ""
	switch reason {
	case dap.ReportDropped:
		message = "the Leader takes no submissions any more (report_dropped)"
		hint = "the deadline has passed by its clock, or it holds as many as it may; ask the coordinator about a postponement"
	case dap.ReportTooEarly, dap.TaskNotStarted:
		message = fmt.Sprintf("by the clock of the Leader the cycle has not begun (%v)", reason)
		hint = "deliver the same file once the charter opens; if it is open by now, ask the Leader to look at its clock"
	case dap.TaskExpired:
		message = "by the clock of the Leader the cycle is over (task_expired)"
		hint = "ask the Leader to look at its clock"
	case dap.OutdatedConfig, dap.HpkeUnknownConfigID:
		message = fmt.Sprintf("the Leader does not hold the key that the submission is sealed for (%v)", reason)
		hint = "ask the coordinator whether the charter was replaced, and seal the answers again under the one in force"
	case dap.ReportReplayed:
		message = "the Leader holds another submission with the same id (report_replayed)"
		hint = "seal the answers again"
	}
	var cause error
	if reason == dap.ReportDropped {
		cause = new(droppedError)
	}
	return errs.Wrap(cause, errs.Conflict, message, hint)
}

// droppedError says that a Leader takes nothing more, of anyone or of those
// whose receipt it has not.
type droppedError struct{}

func (*droppedError) Error() string { return "report_dropped" }
