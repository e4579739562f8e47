package daphttp

import (
	"context"
	"encoding/json"
	"net/http"

	"muster/dap"
	"muster/internal/coalition"
)

// The resources beside DAP that both hosts serve.

func putReceipt[H Host](ctx context.Context, r request[H]) (answer, error) {
	body, signature, err := unseal("receipt", r.body)
	if err != nil {
		return answer{}, err
	}
	ack, err := r.host.Acknowledge(ctx, coalition.SignedReceipt{Body: body, Signature: signature})
	if err != nil {
		return answer{}, err
	}
	out, err := sealAcknowledgement(ack)
	return answer{media: mediaJSON, body: out}, err
}

// postpone lets anyone deliver an addendum: whose it is is in its signatures.
func postpone[H Host](ctx context.Context, r request[H]) (answer, error) {
	body, signature, err := unseal("addendum", r.body)
	if err != nil {
		return answer{}, err
	}
	err = r.host.Postpone(ctx, coalition.SignedAddendum{Body: body, Signature: signature})
	return answer{status: http.StatusNoContent}, err
}

// readAddenda returns the postponements to the other host, whose backup may lack
// some, and to the coordinator.
func readAddenda[H Host](ctx context.Context, r request[H]) (answer, error) {
	list, err := r.host.Addenda(ctx, r.task)
	if err != nil {
		return answer{}, err
	}
	out, err := sealAddenda(list)
	return answer{media: mediaJSON, body: out}, err
}

func readRoster[H Host](ctx context.Context, r request[H]) (answer, error) {
	frozen, err := r.host.FrozenRoster(ctx, r.task)
	if err != nil {
		return answer{}, err
	}
	out, err := sealFrozen(frozen)
	return answer{media: mediaJSON, body: out}, err
}

// readStanding says how far a host is, for the other when that was restored from
// a backup, and for the coordinator.
func readStanding[H Host](ctx context.Context, r request[H]) (answer, error) {
	standing, err := r.host.Standing(ctx, r.task)
	if err != nil {
		return answer{}, err
	}
	out, err := json.Marshal(standing)
	return answer{media: mediaJSON, body: out}, err
}

// readReceipt returns a receipt to the other host, whose backup lacks it.
func readReceipt[H Host](ctx context.Context, r request[H]) (answer, error) {
	id, err := dap.ParseReportID(r.http.PathValue("id"))
	if err != nil {
		return answer{}, errNoResource()
	}
	receipt, err := r.host.ReceiptOf(ctx, r.task, id)
	if err != nil {
		return answer{}, err
	}
	out, err := seal("receipt", receipt.Body, receipt.Signature)
	return answer{media: mediaJSON, body: out}, err
}
