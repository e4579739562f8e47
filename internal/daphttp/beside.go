package daphttp

import (
	"context"
	"net/http"

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

func readRoster[H Host](ctx context.Context, r request[H]) (answer, error) {
	frozen, err := r.host.FrozenRoster(ctx, r.task)
	if err != nil {
		return answer{}, err
	}
	out, err := sealFrozen(frozen)
	return answer{media: mediaJSON, body: out}, err
}
