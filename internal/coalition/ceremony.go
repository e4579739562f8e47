package coalition

import (
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"muster/dap"
	"muster/internal/errs"
	"muster/internal/keys"
)

// The kinds of the ceremony's files.
const (
	commitmentKind = "muster seed commitment v1"
	revealKind     = "muster seed reveal v1"
)

// Ceremony is the drawing of one cycle's seed by two hosts that know each other
// by their cards alone. Everything that they sign is bound to the cycle's name,
// to both cards and to who is Leader, so that nothing of it can be used in
// another ceremony. Files may travel through anyone: a commitment says nothing
// of the part, and a part is sealed for the other host.
type Ceremony struct {
	Cycle  string
	Leader HostCard
	Helper HostCard
}

// Check refuses two cards that cannot host together.
func (c Ceremony) Check() error {
	switch {
	case NameFault(c.Cycle) != "":
		return errs.New(errs.Invalid, "the cycle's name "+errs.Quote(c.Cycle)+" "+NameFault(c.Cycle), "a cycle is named such as 2026")
	case Fold(string(c.Leader.Member)) == Fold(string(c.Helper.Member)):
		return errs.New(errs.Invalid, "both cards are of "+errs.Quote(string(c.Leader.Member)), "one honest host of two is what keeps the answers secret: a cycle is hosted by two members")
	case c.Leader.Key.Same(c.Helper.Key):
		return errs.New(errs.Invalid, "both cards show the same signing key", "each host makes its own keys with muster host init")
	case c.Leader.Certificate == c.Helper.Certificate:
		return errs.New(errs.Invalid, "both cards show the same TLS key", "each host makes its own keys with muster host init")
	case c.Leader.HPKE == c.Helper.HPKE:
		return errs.New(errs.Invalid, "both cards show the same HPKE key: one host could read every answer", "each host makes its own keys with muster host init")
	case c.Leader.URL == c.Helper.URL:
		return errs.New(errs.Invalid, "both cards have the same url", "each host serves at its own url")
	}
	return nil
}

// Role returns the role of the host with that card.
func (c Ceremony) Role(card HostCard) (dap.Role, error) {
	switch card {
	case c.Leader:
		return dap.RoleLeader, nil
	case c.Helper:
		return dap.RoleHelper, nil
	}
	return 0, errs.New(errs.Invalid, "neither card is the one of this host, "+errs.Quote(string(card.Member)), "give this host's own host-card.json as the Leader's or the Helper's")
}

// Card returns the card of a role.
func (c Ceremony) Card(role dap.Role) HostCard {
	if role == dap.RoleLeader {
		return c.Leader
	}
	return c.Helper
}

// OtherHost returns the Helper for the Leader and the Leader for the Helper.
func OtherHost(role dap.Role) dap.Role {
	if role == dap.RoleLeader {
		return dap.RoleHelper
	}
	return dap.RoleLeader
}

// SeedCommitment is what a host sends first: it fixes its part and hides it.
type SeedCommitment struct {
	Kind       string `json:"kind"`
	Cycle      string `json:"cycle"`
	Leader     string `json:"leader"` // hex SHA-256 of the Leader's card
	Helper     string `json:"helper"`
	Role       string `json:"role"`       // "leader" or "helper": whose it is
	Commitment string `json:"commitment"` // hex, see [SeedPart.Commitment]
}

// SeedReveal is what a host sends when it holds the other's commitment: its part,
// sealed for the other host.
type SeedReveal struct {
	Kind       string `json:"kind"`
	Leader     string `json:"leader"` // hex SHA-256 of the Leader's commitment
	Helper     string `json:"helper"`
	Role       string `json:"role"`
	ConfigID   int    `json:"config_id"` // of the other host's HPKE configurations
	Enc        string `json:"enc"`       // base64url: the encapsulated key
	Ciphertext string `json:"ciphertext"`
}

func (c Ceremony) commitment(role dap.Role, value [sha256.Size]byte) SeedCommitment {
	leader, helper := c.Leader.Digest(), c.Helper.Digest()
	return SeedCommitment{
		Kind: commitmentKind, Cycle: c.Cycle, Leader: hex.EncodeToString(leader[:]), Helper: hex.EncodeToString(helper[:]),
		Role: role.String(), Commitment: hex.EncodeToString(value[:]),
	}
}

// Commit returns the commitment of the host in that role to its part. The same
// part and key give the same file.
func (c Ceremony) Commit(role dap.Role, part SeedPart, signer *keys.Signer) (SignedFile, error) {
	if err := c.Check(); err != nil {
		return SignedFile{}, err
	}
	return signFile(keys.KindSeedCommitment, c.commitment(role, part.Commitment()), signer)
}

// OpenCommitment reads the commitment of the host in that role and returns the
// value. It says in words why a file is not that.
func (c Ceremony) OpenCommitment(role dap.Role, s SignedFile) ([sha256.Size]byte, error) {
	var value [sha256.Size]byte
	var got SeedCommitment
	if err := decodeFile(keys.KindSeedCommitment, s, &got); err != nil {
		return value, err
	}
	b, err := hex.DecodeString(got.Commitment)
	if err != nil || len(b) != len(value) {
		return value, errs.New(errs.Invalid, "the commitment has a broken value", "")
	}
	value = [sha256.Size]byte(b)
	want := c.commitment(role, value)
	invalid := func(message, hint string) error { return errs.New(errs.Invalid, message, hint) }
	host := errs.Quote(string(c.Card(role).Member))
	switch {
	case got.Kind != want.Kind:
		return value, invalid("the commitment is of kind "+errs.Quote(got.Kind), "")
	case got.Cycle != want.Cycle:
		return value, invalid(fmt.Sprintf("the commitment is for the cycle %s and this ceremony for %s", errs.Quote(got.Cycle), errs.Quote(c.Cycle)), "ask for the commitment of this ceremony")
	case got.Leader == want.Helper && got.Helper == want.Leader:
		return value, invalid("the commitment has Leader and Helper the other way round", "agree who is Leader; whoever had it wrong begins again in a new folder")
	case got.Leader != want.Leader || got.Helper != want.Helper:
		return value, invalid("the commitment belongs to a ceremony between other cards than these two", "compare the fingerprints of both cards on the telephone: muster host show CARD")
	case got.Role == OtherHost(role).String():
		return value, invalid("this is the commitment of "+errs.Quote(string(c.Card(OtherHost(role)).Member))+", not of "+host, "give the file that the other host sent")
	case got != want:
		return value, invalid("the commitment is not in the form that muster writes", "")
	}
	return value, verifyFrom(keys.KindSeedCommitment, s, c.Card(role))
}

// verifyFrom checks the signature of a host and names it.
func verifyFrom(kind keys.Kind, s SignedFile, card HostCard) error {
	if err := keys.Verify(kind, s.Body, s.Signature, card.Key); err != nil {
		return errs.Wrap(err, errs.Invalid, fmt.Sprintf("the %s is not signed by %s, or was changed afterwards", kind, errs.Quote(string(card.Member))),
			"ask the other host for the file and its .sig again; if it happens twice, somebody on the way changes it")
	}
	return nil
}

// SeedCommitments are both hosts' commitments as they were sent.
type SeedCommitments struct {
	Leader SignedFile
	Helper SignedFile
}

// values checks both and returns what they hide.
func (c Ceremony) values(files SeedCommitments) (leader, helper [sha256.Size]byte, err error) {
	if leader, err = c.OpenCommitment(dap.RoleLeader, files.Leader); err != nil {
		return leader, helper, err
	}
	if helper, err = c.OpenCommitment(dap.RoleHelper, files.Helper); err != nil {
		return leader, helper, err
	}
	if leader == helper {
		return leader, helper, errs.New(errs.Denied, "one host's commitment repeats the other's", "somebody copied it: begin again in new folders, and compare fingerprints first")
	}
	return leader, helper, nil
}

func (c Ceremony) reveal(role dap.Role, files SeedCommitments) SeedReveal {
	leader, helper := files.Leader.Digest(), files.Helper.Digest()
	return SeedReveal{Kind: revealKind, Leader: hex.EncodeToString(leader[:]), Helper: hex.EncodeToString(helper[:]), Role: role.String()}
}

// info is what the seal of a reveal is bound to besides the key.
func (r SeedReveal) info() []byte {
	return []byte(revealKind + "\n" + r.Leader + "\n" + r.Helper + "\n" + r.Role + "\n")
}

// Reveal returns the part of the host in that role, sealed for the other. It
// wants both commitments: who reveals first and commits afterwards has chosen
// the seed. Two calls give two files; the host keeps the first.
func (c Ceremony) Reveal(role dap.Role, part SeedPart, files SeedCommitments, signer *keys.Signer) (SignedFile, error) {
	leader, helper, err := c.values(files)
	if err != nil {
		return SignedFile{}, err
	}
	if own := map[dap.Role][sha256.Size]byte{dap.RoleLeader: leader, dap.RoleHelper: helper}[role]; part.Commitment() != own {
		return SignedFile{}, errs.New(errs.Conflict, "the seed part that this host keeps is not the one it committed to", "begin again in a new folder")
	}
	configs, err := c.Card(OtherHost(role)).HPKEConfigs()
	if err != nil {
		return SignedFile{}, err
	}
	r := c.reveal(role, files)
	config := configs[0]
	kem, err := hpke.NewKEM(config.KemID)
	if err != nil {
		return SignedFile{}, fmt.Errorf("seal a seed part: %w", err)
	}
	public, err := kem.NewPublicKey(config.PublicKey)
	if err != nil {
		return SignedFile{}, errs.Wrap(err, errs.Invalid, "the other host's card has a broken HPKE key", "")
	}
	enc, sender, err := hpke.NewSender(public, hpke.HKDFSHA256(), hpke.AES128GCM(), r.info())
	if err != nil {
		return SignedFile{}, errs.Wrap(err, errs.Invalid, "the other host's card has an HPKE key that nothing can be sealed for", "")
	}
	sealed, err := sender.Seal(nil, part[:])
	if err != nil {
		return SignedFile{}, fmt.Errorf("seal a seed part: %w", err)
	}
	r.ConfigID = int(config.ID)
	r.Enc, r.Ciphertext = base64.RawURLEncoding.EncodeToString(enc), base64.RawURLEncoding.EncodeToString(sealed)
	return signFile(keys.KindSeedReveal, r, signer)
}

// OpenReveal reads what the other host of role revealed and opens it with this
// host's HPKE keys. It says in words why a file is not that.
func (c Ceremony) OpenReveal(role dap.Role, files SeedCommitments, s SignedFile, own []*dap.HpkeKeypair) (SeedPart, error) {
	peer := OtherHost(role)
	var r SeedReveal
	if err := decodeFile(keys.KindSeedReveal, s, &r); err != nil {
		return SeedPart{}, err
	}
	want := c.reveal(peer, files)
	want.ConfigID, want.Enc, want.Ciphertext = r.ConfigID, r.Enc, r.Ciphertext
	invalid := func(message, hint string) error { return errs.New(errs.Invalid, message, hint) }
	switch {
	case r.Kind != want.Kind:
		return SeedPart{}, invalid("the reveal is of kind "+errs.Quote(r.Kind), "")
	case r.Leader != want.Leader || r.Helper != want.Helper:
		return SeedPart{}, invalid("the reveal belongs to another ceremony: it follows other commitments than these two", "ask for the reveal of this ceremony")
	case r.Role == role.String():
		return SeedPart{}, invalid("this is the reveal of "+errs.Quote(string(c.Card(role).Member))+", this host's own", "give the file that the other host sent")
	case r != want:
		return SeedPart{}, invalid("the reveal is not in the form that muster writes", "")
	}
	if err := verifyFrom(keys.KindSeedReveal, s, c.Card(peer)); err != nil {
		return SeedPart{}, err
	}
	part, err := r.open(own)
	if err != nil {
		return SeedPart{}, errs.Wrap(err, errs.Denied, "the reveal does not open with this host's HPKE key", "was hpke.key exchanged since the card was sent? then begin again in new folders")
	}
	return part, nil
}

func (r SeedReveal) open(own []*dap.HpkeKeypair) (SeedPart, error) {
	enc, err := decode64(r.Enc)
	if err != nil {
		return SeedPart{}, err
	}
	ciphertext, err := decode64(r.Ciphertext)
	if err != nil {
		return SeedPart{}, err
	}
	for _, k := range own {
		config := k.Config()
		if int(config.ID) != r.ConfigID {
			continue
		}
		kem, err := hpke.NewKEM(config.KemID)
		if err != nil {
			return SeedPart{}, err
		}
		secret, err := k.PrivateBytes()
		if err != nil {
			return SeedPart{}, err
		}
		private, err := kem.NewPrivateKey(secret)
		if err != nil {
			return SeedPart{}, fmt.Errorf("coalition: the HPKE key %d cannot be used", config.ID)
		}
		recipient, err := hpke.NewRecipient(enc, private, hpke.HKDFSHA256(), hpke.AES128GCM(), r.info())
		if err != nil {
			return SeedPart{}, err
		}
		part, err := recipient.Open(nil, ciphertext)
		if err != nil || len(part) != len(SeedPart{}) {
			return SeedPart{}, fmt.Errorf("coalition: the sealed seed part does not open")
		}
		return SeedPart(part), nil
	}
	return SeedPart{}, fmt.Errorf("coalition: sealed for HPKE configuration %d, which this host does not have", r.ConfigID)
}

// Finish checks everything once more and returns the seed: part is this host's,
// reveal the other's.
func (c Ceremony) Finish(role dap.Role, part SeedPart, files SeedCommitments, reveal SignedFile, own []*dap.HpkeKeypair) (Seed, error) {
	leaderValue, helperValue, err := c.values(files)
	if err != nil {
		return Seed{}, err
	}
	other, err := c.OpenReveal(role, files, reveal, own)
	if err != nil {
		return Seed{}, err
	}
	leader, helper := part, other
	if role == dap.RoleHelper {
		leader, helper = other, part
	}
	return CombineSeed(leader, helper, leaderValue, helperValue)
}

// CommittedCycle returns the cycle that a commitment says it is for. It checks
// nothing else: it is for finding out which ceremony a file belongs to.
func CommittedCycle(s SignedFile) (string, error) {
	var c SeedCommitment
	err := decodeFile(keys.KindSeedCommitment, s, &c)
	return c.Cycle, err
}
