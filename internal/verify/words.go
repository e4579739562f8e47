package verify

import (
	"fmt"
	"slices"

	"muster/internal/coalition"
	"muster/internal/framework"
)

// Sentence is a sentence that stands for itself.
type Sentence struct {
	Code string         `json:"code"`
	Text framework.Text `json:"text"`
}

// words are a text in English and French, with places for the same arguments.
type words struct{ en, fr string }

// text returns the text with its arguments in it; one that is words itself is in the
// language of the text.
func (w words) text(args ...any) framework.Text {
	fr := slices.Clone(args)
	en := slices.Clone(args)
	for i, a := range args {
		if both, ok := a.(words); ok {
			en[i], fr[i] = both.en, both.fr
		}
	}
	return framework.Text{"en": fmt.Sprintf(w.en, en...), "fr": fmt.Sprintf(w.fr, fr...)}
}

// phase returns what a phase is called; one that there is not is called as it is
// written.
func phase(p coalition.Phase) words {
	fr, ok := map[coalition.Phase]string{
		coalition.Draft: "projet", coalition.Consultation: "consultation", coalition.Adopted: "adoptée", coalition.Open: "ouverte", coalition.Closing: "en clôture",
		coalition.Closed: "close", coalition.Aggregated: "additionnée", coalition.Review: "relecture", coalition.Released: "publiée", coalition.Conference: "conférence",
		coalition.Commitments: "engagements", coalition.FollowUp: "suivi", coalition.Archived: "archivée", coalition.Postponed: "reportée", coalition.Cancelled: "annulée",
	}[p]
	if !ok {
		return words{string(p), string(p)}
	}
	return words{string(p), fr}
}

// sentence returns the sentence of a code. One that is missing is a defect, which a
// test looks for.
func sentence(code string, args ...any) framework.Text {
	return said(sentences(), code, args...)
}

// said is sentence with the sentences at hand.
func said(all map[string]words, code string, args ...any) framework.Text {
	w, ok := all[code]
	if !ok {
		return framework.Text{"en": code, "fr": code}
	}
	return w.text(args...)
}

// Codes returns the codes of all sentences, for tests and documents.
func Codes() []string {
	var list []string
	for code := range sentences() {
		list = append(list, code)
	}
	return list
}

// Words returns a verdict as people read it.
func (v Verdict) Words() framework.Text {
	switch v {
	case Holds:
		return framework.Text{"en": "holds", "fr": "vérifié"}
	case Fails:
		return framework.Text{"en": "fails", "fr": "échec"}
	default:
		return framework.Text{"en": "cannot be checked here", "fr": "invérifiable ici"}
	}
}

// Title returns what a step is called.
func (s Step) Title() framework.Text {
	titles := map[Step]words{
		StepBundle:      {"The bundle", "Le dossier"},
		StepLog:         {"The record's signature", "La signature du registre"},
		StepConsistency: {"Nothing was taken back", "Rien n’a été repris"},
		StepWitnesses:   {"Who else has seen it", "Qui d’autre l’a vu"},
		StepCharter:     {"The charter", "La charte"},
		StepEntries:     {"Every entry's signatures", "Les signatures de chaque inscription"},
		StepOrder:       {"The order of entries", "L’ordre des inscriptions"},
		StepFramework:   {"The questions", "Les questions"},
		StepAdoption:    {"Adoption by silence", "L’adoption par silence"},
		StepPhases:      {"The phases", "Les phases"},
		StepDeadline:    {"The deadline", "L’échéance"},
		StepTimes:       {"When it was seen", "Quand cela a été vu"},
		StepReceipts:    {"The receipts", "Les reçus"},
		StepRoster:      {"Whose submissions count", "Les envois qui comptent"},
		StepShares:      {"The two locked halves", "Les deux moitiés verrouillées"},
		StepRelease:     {"The release", "La publication"},
		StepApproval:    {"The hosts' approval", "L’approbation des hôtes"},
		StepDisclosure:  {"What may be shown", "Ce qui peut être montré"},
		StepAttack:      {"Working out one member's answer", "Deviner la réponse d’un membre"},
		StepEditions:    {"The editions", "Les éditions"},
		StepWipe:        {"The wipe", "L’effacement"},
		StepTotals:      {"The totals themselves", "Les totaux eux-mêmes"},
	}
	return titles[s].text()
}

// Limits returns what no bundle can prove.
func Limits() []Sentence {
	list := []struct {
		code string
		words
	}{
		{"truth", words{
			"That the answers are true. A member may have answered as it liked, and its verifier may have been mistaken.",
			"Que les réponses sont vraies. Un membre a pu répondre à sa guise, et son vérificateur se tromper.",
		}},
		{"keys", words{
			"That the keys in the charter are those of the hosts and members that it names. The coordinator could have invented a whole coalition; that the charter is the one that others have shows only its digest, read to you by somebody whom you know.",
			"Que les clés de la charte sont celles des hôtes et des membres qu’elle nomme. Le coordinateur aurait pu inventer toute une coalition ; que la charte est celle qu’ont les autres, seule son empreinte le montre, lue par quelqu’un que vous connaissez.",
		}},
		{"totals", words{
			"That the release comes from the true totals. The coordinator alone opened them and could have changed them before it signed; either host could have changed its half, and then every total in it. Only with both encrypted halves and the collector key can that be found, until the wipe.",
			"Que la publication vient des vrais totaux. Seul le coordinateur les a ouverts et aurait pu les changer avant de signer ; chaque hôte aurait pu changer sa moitié, et ainsi tout total. On ne peut le découvrir qu’avec les deux moitiés chiffrées et la clé du collecteur, jusqu’à l’effacement.",
		}},
		{"hosts", words{
			"That the hosts did not join their halves. Whoever had both could read every answer.",
			"Que les hôtes n’ont pas réuni leurs moitiés. Qui aurait les deux pourrait lire chaque réponse.",
		}},
		{"silence", words{
			"That the silence was kept. The chair says so; only a member that broke it, and holds the chair's acknowledgement, can contradict. And that a text was under silence at the time that its steps say, where no witness saw the step before that time was over.",
			"Que le silence a été gardé. C’est le président qui le dit ; seul un membre qui l’a rompu, et qui tient l’accusé de réception, peut le contredire. Et qu’un texte était sous silence au moment que disent ses étapes, là où aucun témoin n’a vu l’étape avant la fin de ce temps.",
		}},
		{"wipe", words{
			"That a wipe took place. It is stated and signed; nobody can show that no copy is left.",
			"Qu’un effacement a eu lieu. Il est déclaré et signé ; personne ne peut montrer qu’il ne reste aucune copie.",
		}},
		{"binary", words{
			"That the hosts ran this program and no other. Whoever supplied both of them with another one could have read everything.",
			"Que les hôtes ont fait tourner ce programme et aucun autre. Qui leur en aurait fourni un autre, aux deux, aurait pu tout lire.",
		}},
		{"editions", words{
			"That an edition says no more than its release. Its bytes are those that were entered; what it says of anybody was not tried: read it beside the release.",
			"Qu’une édition n’en dit pas plus que sa publication. Ses octets sont ceux qui ont été inscrits ; ce qu’elle dit de chacun n’a pas été essayé : lisez-la à côté de la publication.",
		}},
		{"views", words{
			"That nobody is shown another record. That is what the witnesses are for, if they are others than the coordinator, which their keys do not show; and the checkpoint that you keep: compare it with another member's.",
			"Que personne ne voit un autre registre. C’est le rôle des témoins, s’ils sont d’autres que le coordinateur, ce que leurs clés ne montrent pas ; et du point de contrôle que vous gardez : comparez-le avec celui d’un autre membre.",
		}},
	}
	var limits []Sentence
	for _, l := range list {
		limits = append(limits, Sentence{l.code, l.text()})
	}
	return limits
}

// sentences returns all sentences by code.
func sentences() map[string]words {
	all := make(map[string]words)
	for _, part := range []map[string]words{logWords(), cycleWords(), rosterWords(), releaseWords()} {
		for code, w := range part {
			all[code] = w
		}
	}
	return all
}

func logWords() map[string]words {
	return map[string]words{
		"nothing":    {"The record has nothing of this for this cycle.", "Le registre n’a rien à ce sujet pour ce cycle."},
		"rests":      {"This rests on the charter of the cycle, which is not here or cannot be read.", "Cela repose sur la charte du cycle, qui n’est pas ici ou ne peut être lue."},
		"whole":      {"The bundle is whole: all %d entries of the record and %d signed files are there, and every entry is where the checkpoint says.", "Le dossier est entier : les %d inscriptions du registre et %d fichiers signés y sont, et chaque inscription est là où le dit le point de contrôle."},
		"broken":     {"The bundle is not as it was made.", "Le dossier n’est pas tel qu’il a été fait."},
		"not_opened": {"The bundle could not be opened.", "Le dossier n’a pas pu être ouvert."},

		"log_signed":   {"The record %s has signed its checkpoint of %d entries.", "Le registre %s a signé son point de contrôle de %d inscriptions."},
		"log_unsigned": {"The checkpoint is not signed by the record whose key you gave.", "Le point de contrôle n’est pas signé par le registre dont vous avez donné la clé."},

		"earlier":          {"The record follows from its %d earlier checkpoints: nothing was changed or taken out in between.", "Le registre découle de ses %d points de contrôle antérieurs : rien n’a été changé ni retiré entre-temps."},
		"earlier_unsigned": {"The earlier checkpoint of %d entries is not signed as it must be.", "Le point de contrôle antérieur de %d inscriptions n’est pas signé comme il le faut."},
		"follows_seen":     {"The record follows from the checkpoint of %d entries that you kept, and has %d now: nothing was changed or taken out.", "Le registre découle du point de contrôle de %d inscriptions que vous aviez gardé, et en a %d à présent : rien n’a été changé ni retiré."},
		"nothing_seen":     {"You gave no checkpoint of an earlier time to compare with; keep this one.", "Vous n’avez pas donné de point de contrôle antérieur à comparer ; gardez celui-ci."},
		"rewound":          {"The record does not follow from the checkpoint of %d entries that you kept; it has %d now. It was turned back, changed, or is shown to others in another way. Keep both.", "Le registre ne découle pas du point de contrôle de %d inscriptions que vous aviez gardé ; il en a %d à présent. Il a été ramené en arrière, changé, ou montré autrement à d’autres. Gardez les deux."},

		"witnessed":               {"Witnesses that have seen this record: %d of %d, and you want %d; the first at %s.", "Témoins qui ont vu ce registre : %d sur %d, et vous en voulez %d ; le premier le %s."},
		"witness_missing":         {"Witnesses that have seen this record: %d, and you want %d.", "Témoins qui ont vu ce registre : %d, et vous en voulez %d."},
		"witnessed_cycle":         {"Witnesses that have seen every entry of this cycle: %d of %d, and you want %d. They had seen %d entries of the record, which has %d now; the first at %s. For what came since, wait for them, or name in your policy who took a witness's place.", "Témoins qui ont vu toutes les inscriptions de ce cycle : %d sur %d, et vous en voulez %d. Ils avaient vu %d inscriptions du registre, qui en a %d à présent ; le premier le %s. Pour la suite, attendez-les, ou nommez dans votre politique qui a remplacé un témoin."},
		"witness_forged":          {"The checkpoint of %d entries has a signature under the key of the witness %s that is not genuine.", "Le point de contrôle de %d inscriptions a une signature sous la clé du témoin %s qui n’est pas authentique."},
		"witness_future":          {"The witness %s says that it signed at %s, which is yet to come.", "Le témoin %s dit avoir signé le %s, qui est encore à venir."},
		"witness_clock":           {"The witness %s says that it had seen %d entries at %s, and %d of them later than that, at %s: its clock, or its word, is wrong, and no other time of it is used.", "Le témoin %s dit avoir vu %d inscriptions le %s, et %d d’entre elles plus tard, le %s : son horloge, ou sa parole, est fausse, et aucune autre heure de lui n’est retenue."},
		"witness_coordinator":     {"You name %s as a witness, and it is the key of the coordinator, who cannot vouch for itself.", "Vous nommez %s comme témoin, et c’est la clé du coordinateur, qui ne peut se porter garant de lui-même."},
		"witness_unknown":         {"The key %s, which neither you nor the charter names as a witness, has signed as well, checkpoints: %d. That was not checked, and counts for nothing.", "La clé %s, que ni vous ni la charte ne nommez comme témoin, a signé aussi, points de contrôle : %d. Cela n’a pas été vérifié, et ne compte pas."},
		"witness_none":            {"You name no witness: nobody besides the coordinator vouches for it that all see the same record.", "Vous ne nommez aucun témoin : personne, hormis le coordinateur, ne garantit que tous voient le même registre."},
		"witness_optional":        {"You want no witness to have seen it; of those that you name %d of %d have.", "Vous ne voulez pas qu’un témoin l’ait vu ; de ceux que vous nommez, %d sur %d l’ont vu."},
		"witnesses_unsigned":      {"A checkpoint that the record has not signed has no witnesses.", "Un point de contrôle que le registre n’a pas signé n’a pas de témoins."},
		"charter_witnessed":       {"Witnesses of the charter that have seen all of its cycle: %d of %d, and the charter wants %d; the record had %d entries then.", "Témoins de la charte qui ont vu tout son cycle : %d sur %d, et la charte en veut %d ; le registre avait alors %d inscriptions."},
		"charter_witness_until":   {"The witnesses of the charter have seen the record up to %d entries. What the cycle has after that, up to entry %d, only your own witnesses have seen: was a witness replaced?", "Les témoins de la charte ont vu le registre jusqu’à %d inscriptions. Ce que le cycle a depuis, jusqu’à la %d, seuls vos propres témoins l’ont vu : un témoin a-t-il été remplacé ?"},
		"charter_witness_missing": {"Too few of the witnesses that the charter names have seen all of its cycle: %d, and the charter wants %d. If one was replaced, name the new one in your policy.", "Trop peu des témoins que nomme la charte ont vu tout son cycle : %d, et la charte en veut %d. Si l’un a été remplacé, nommez le nouveau dans votre règle."},
		"charter_no_witness":      {"The charter wants no witness to have seen the record: nobody but the coordinator had to see it. This program signs no such charter of real answers.", "La charte ne veut qu’aucun témoin ait vu le registre : personne d’autre que le coordinateur n’avait à le voir. Ce programme ne signe pas de telle charte de vraies réponses."},

		"entries_signed":  {"All %d entries of this cycle are signed by the coordinator, and by the hosts where they must be.", "Les %d inscriptions de ce cycle sont toutes signées par le coordinateur, et par les hôtes là où il le faut."},
		"entry_unsigned":  {"Entry %d (%s) is not signed by those who must have signed it.", "L’inscription %d (%s) n’est pas signée par ceux qui doivent l’avoir signée."},
		"entry_charter":   {"Entry %d (%s) names a cycle and a charter that do not belong together in this record.", "L’inscription %d (%s) nomme un cycle et une charte qui ne vont pas ensemble dans ce registre."},
		"entries_resting": {"%d entries of this cycle rest on a charter that is not here or cannot be read: who signed them cannot be checked.", "%d inscriptions de ce cycle reposent sur une charte qui n’est pas ici ou ne peut être lue : on ne peut vérifier qui les a signées."},
		"and_more":        {"There are more of these; no more are listed.", "Il y en a d’autres ; la liste s’arrête ici."},
		"entries_foreign": {"%d entries are of other cycles, whose charters this bundle does not have: they are in the record, and who signed them is for their own bundles.", "%d inscriptions sont d’autres cycles, dont ce dossier n’a pas les chartes : elles sont dans le registre ; leurs signatures se vérifient avec leurs propres dossiers."},

		"ordered":    {"The %d entries of this cycle stand in the order in which such things happen.", "Les %d inscriptions de ce cycle se suivent dans l’ordre où ces choses arrivent."},
		"disordered": {"Entry %d (%s) stands before entry %d (%s) and must come after it.", "L’inscription %d (%s) est avant l’inscription %d (%s) et doit venir après."},

		"times":         {"Nothing says that it happened later than a witness had seen it. The charter was in the record by %s.", "Rien ne dit avoir eu lieu après qu’un témoin l’a vu. La charte était au registre au plus tard le %s."},
		"time_ahead":    {"The clock of a cycle that is marked %s runs ahead: times were compared with each other, not with today's.", "L’horloge d’un cycle marqué %s avance : les heures ont été comparées entre elles, et non avec celle d’aujourd’hui."},
		"time_nobody":   {"No witness says when it saw the record.", "Aucun témoin ne dit quand il a vu le registre."},
		"time_step":     {"A witness had seen a step of the silence procedure at %s, and the step says that it was done at %s: the chair's clock, or its word, is wrong, or the witness's is.", "Un témoin avait vu une étape de la procédure de silence le %s, et l’étape dit avoir eu lieu le %s : l’horloge ou la parole du président est fausse, ou celle du témoin."},
		"time_silence":  {"Nobody saw by %s, when the silence was over, that the text was under silence; a witness saw it first at %s: it may have been written afterwards.", "Personne n’avait vu le %s, quand le silence a pris fin, que le texte était sous silence ; un témoin l’a vu d’abord le %s : cela a pu être écrit après coup."},
		"time_charter":  {"Nobody saw the charter by %s, when members could submit; a witness saw it first at %s.", "Personne n’avait vu la charte le %s, quand les membres pouvaient envoyer ; un témoin l’a vue d’abord le %s."},
		"time_adoption": {"Nobody saw by %s, when members could submit, that the charter was adopted; a witness saw it first at %s.", "Personne n’avait vu le %s, quand les membres pouvaient envoyer, que la charte était adoptée ; un témoin l’a vu d’abord le %s."},
		"time_roster":   {"A witness had seen the list of submissions at %s, before the deadline at %s: the hosts closed too early, or the witness's clock is wrong.", "Un témoin avait vu la liste des envois le %s, avant l’échéance du %s : les hôtes ont clos trop tôt, ou l’horloge du témoin est fausse."},
		"time_wipe":     {"A witness had seen an attestation of wiping at %s, and it says that the wipe was at %s.", "Un témoin avait vu une attestation d’effacement le %s, et elle dit que l’effacement a eu lieu le %s."},
	}
}

func cycleWords() map[string]words {
	return map[string]words{
		"charter_signed":   {"The charter of %s for %s, of %d members, is signed by the coordinator and by both hosts, %s and %s.", "La charte de %s pour %s, de %d membres, est signée par le coordinateur et par les deux hôtes, %s et %s."},
		"charter_unsigned": {"The charter is not signed by all three, or cannot be.", "La charte n’est pas signée par les trois, ou ne peut l’être."},
		"charter_absent":   {"The charter %s is not in the bundle, and no bundle may lack it: nothing that rests on its keys can be checked.", "La charte %s n’est pas dans le dossier, et aucun dossier ne peut s’en passer : rien de ce qui repose sur ses clés ne peut être vérifié."},
		"charter_cycle":    {"The charter is of the cycle %s, not of the bundle's.", "La charte est du cycle %s, et non de celui du dossier."},
		"charter_entry":    {"The entry of the charter does not say what the charter says: %s.", "L’inscription de la charte ne dit pas ce que dit la charte : %s."},
		"charter_ledger":   {"The charter names another record, %s, than the one whose key you gave.", "La charte nomme un autre registre, %s, que celui dont vous avez donné la clé."},
		"charter_policy":   {"The witnesses that the charter names cannot be looked for.", "Les témoins que nomme la charte ne peuvent être recherchés."},
		"charter_same":     {"It is the charter that you have.", "C’est la charte que vous avez."},
		"charter_keys":     {"Whether the keys in the charter %s are those of the hosts and members that it names cannot be checked here: whoever entered it could have made them all. Give the charter, or this digest of it as somebody whom you know has it.", "On ne peut vérifier ici que les clés de la charte %s sont celles des hôtes et des membres qu’elle nomme : qui l’a inscrite aurait pu toutes les fabriquer. Donnez la charte, ou cette empreinte telle que la tient quelqu’un que vous connaissez."},
		"charter_other":    {"The charter that you have, %s, is not the one of this bundle.", "La charte que vous avez, %s, n’est pas celle de ce dossier."},
		"charter_groups":   {"The charter plans groups whose totals together would point at someone.", "La charte prévoit des groupes dont les totaux réunis désigneraient quelqu’un."},

		"framework_same":    {"The charter asks the questions of %s %s, to the letter, as this program has them.", "La charte pose les questions de %s %s, à la lettre près, telles que ce programme les a."},
		"framework_missing": {"The record does not say which questions %s %s are.", "Le registre ne dit pas quelles sont les questions de %s %s."},
		"framework_other":   {"The record gives the questions of %s %s another name.", "Le registre donne un autre nom aux questions de %s %s."},
		"framework_bundle":  {"The charter asks the questions of %s %s, to the letter, as this bundle has them; this program does not bring them.", "La charte pose les questions de %s %s, à la lettre près, telles que ce dossier les a ; ce programme ne les a pas."},
		"framework_unread":  {"The questions of %s %s in this bundle cannot be read.", "Les questions de %s %s dans ce dossier ne peuvent être lues."},
		"framework_absent":  {"Neither this program nor the bundle has the questions of %s %s in this form; the record has their fingerprint.", "Ni ce programme ni le dossier n’ont les questions de %s %s sous cette forme ; le registre en a l’empreinte."},
		"framework_layout":  {"What the charter measures is not what the questions of %s %s give.", "Ce que mesure la charte n’est pas ce que donnent les questions de %s %s."},

		"adopted":              {"The steps of the silence procedure end in the adoption of this charter: %d parties, %d times under silence, the last for at least %s, adopted at %s.", "Les étapes de la procédure de silence aboutissent à l’adoption de cette charte : %d parties, %d fois sous silence, la dernière pour au moins %s, adoptée le %s."},
		"adoption_said":        {"The coordinator has entered that the charter was adopted; the steps of the procedure are not in this bundle.", "Le coordinateur a inscrit que la charte est adoptée ; les étapes de la procédure ne sont pas dans ce dossier."},
		"adoption_bare":        {"The coordinator has entered that the charter was adopted; the record has no steps of a silence procedure.", "Le coordinateur a inscrit que la charte est adoptée ; le registre n’a aucune étape d’une procédure de silence."},
		"adoption_missing":     {"The cycle went on to the phase %s, and the record does not say that the charter was adopted by silence.", "Le cycle est passé à la phase « %s », et le registre ne dit pas que la charte a été adoptée par silence."},
		"adoption_replaced":    {"The charter %s…, in whose place this one is, was adopted; this one was not put under silence again: compare what differs.", "La charte %s…, que celle-ci remplace, a été adoptée ; celle-ci n’a pas été mise de nouveau sous silence : comparez ce qui diffère."},
		"adoption_none":        {"The record does not say that the charter was adopted by silence.", "Le registre ne dit pas que la charte a été adoptée par silence."},
		"adoption_reopened":    {"The record says last that the charter was opened again, not adopted.", "Le registre dit en dernier que la charte a été rouverte, non adoptée."},
		"adoption_contradicts": {"What the record says of the adoption is not how the steps end.", "Ce que le registre dit de l’adoption n’est pas ce à quoi aboutissent les étapes."},
		"adoption_left_out":    {"%d members of the charter were no party of its adoption.", "%d membres de la charte n’étaient pas parties à son adoption."},
		"adoption_late":        {"The charter was adopted at %s, after members could already submit, from %s on.", "La charte a été adoptée le %s, alors que les membres pouvaient déjà envoyer, dès le %s."},
		"adoption_short":       {"The charter, which is not marked, was adopted after a silence of %s for those who had least of it; in less than a day nobody can be expected to break it.", "La charte, qui n’est pas marquée, a été adoptée après un silence de %s pour qui en a eu le moins ; en moins d’un jour, on ne peut attendre de personne qu’il le rompe."},
		"step_missing":         {"Step %d of a silence procedure is not in the record.", "L’étape %d d’une procédure de silence n’est pas au registre."},
		"step_wrong":           {"The steps of a silence procedure do not follow from each other, or are not signed.", "Les étapes d’une procédure de silence ne découlent pas l’une de l’autre, ou ne sont pas signées."},
		"steps_left_out":       {"So many steps of silence procedures are not in this bundle, which has the list with names: they were left out: %d.", "Tant d’étapes de procédures de silence ne sont pas dans ce dossier, qui a la liste nominative ; elles ont été omises : %d."},
		"ack_fits":             {"Your acknowledgement %d fits the steps.", "Votre accusé de réception %d s’accorde avec les étapes."},
		"ack_contradicts":      {"Your acknowledgement %d contradicts the steps: show it to the coalition, it names nobody.", "Votre accusé de réception %d contredit les étapes : montrez-le à la coalition, il ne nomme personne."},
		"ack_steps":            {"Your acknowledgement %d is of a procedure or a round whose steps are not in this bundle.", "Votre accusé de réception %d est d’une procédure ou d’un tour dont les étapes ne sont pas dans ce dossier."},
		"ack_round":            {"Your acknowledgement %d is of a time under silence that the record does not have, although it has all steps of the procedure: the chair showed you another step, or left one out.", "Votre accusé de réception %d est d’un temps sous silence que le registre n’a pas, bien qu’il ait toutes les étapes de la procédure : le président vous a montré une autre étape, ou en a omis une."},
		"ack_other":            {"Your acknowledgement %d is not by the coordinator of this cycle.", "Votre accusé de réception %d n’est pas du coordinateur de ce cycle."},

		"phases":        {"Every step of the cycle was allowed, %d in all, and it stands at: %s.", "Chaque étape du cycle était permise, %d en tout ; sa phase est : %s."},
		"phase_missing": {"Entry %d (%s) wants the %s before it, and the record has none.", "L’inscription %d (%s) demande avant elle : %s, et le registre n’en a pas."},
		"phase_first":   {"The first phase entered begins at %s, not at draft.", "La première phase inscrite commence à « %s », et non à « projet »."},
		"phase_order":   {"Step %d of the cycle begins at %s, and the one before it ended at %s.", "L’étape %d du cycle commence à « %s », et la précédente finissait à « %s »."},
		"phase_step":    {"No cycle goes from %s to %s.", "Aucun cycle ne passe de « %s » à « %s »."},

		"deadline":       {"Postponements: %d, each signed by all three; the deadline is %s.", "Reports : %d, chacun signé par les trois ; l’échéance est le %s."},
		"addendum_wrong": {"Postponement %d does not follow from the charter and those before it.", "Le report %d ne découle pas de la charte et des précédents."},
	}
}
