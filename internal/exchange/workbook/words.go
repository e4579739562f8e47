package workbook

// words are what a workbook says in one language beside its columns.
type words struct {
	guideTitle       string
	guide, bodyGuide []string
	choose, day      string // why a cell refuses what was typed

	formSheet, formTitle string
	form                 []string
}

func wordsIn(lang string) words {
	if french(lang) {
		return words{
			guideTitle: "Comment remplir ce classeur",
			guide: []string{
				"1. Chaque feuille est une enquête ; chaque ligne, un résultat. Lisez la question et les cinq niveaux, puis remplissez les cellules claires. Les autres cellules sont verrouillées.",
				"2. Niveau : choisissez dans la liste. En cas de doute, le niveau inférieur. « Sans objet » demande un motif.",
				"3. Preuve, demandée aux niveaux 3 et 4 : E0 notre parole, E1 un document, E2 notre propre essai, E3 le contrôle d’un tiers.",
				"4. Échéance : une date, par exemple 2027-06-30. « Repris » vaut oui pour ce qui vient de l’an dernier et que personne n’a confirmé ; mettez non pour confirmer.",
				"5. Vous pouvez trier, déplacer et masquer des lignes et des colonnes. N’effacez pas les colonnes masquées : elles disent quelle ligne est laquelle. N’écrivez pas de formules.",
				"6. Une cellule laissée vide ne dit rien. Rendez le fichier à qui vous l’a donné : il dira cellule par cellule ce qu’il en a repris.",
			},
			bodyGuide: []string{
				"1. Chaque ligne est un résultat. Lisez la question et les cinq niveaux, puis choisissez le niveau de votre organisme et ajoutez une remarque si elle aide. Les autres cellules sont verrouillées.",
				"2. En cas de doute, le niveau inférieur. « Sans objet » demande un motif ; « nous préférons ne pas répondre » est une réponse. Aux niveaux 3 et 4, la preuve (E0 notre parole, E1 un document, E2 notre propre essai, E3 le contrôle d’un tiers) et l’endroit où elle se trouve.",
				"3. Vous pouvez trier, déplacer et masquer des lignes et des colonnes. N’effacez pas les colonnes masquées : elles disent quelle ligne est laquelle. N’écrivez pas de formules.",
				"4. « L’an dernier » est ce que vous aviez donné. « Repris » vaut oui pour ce qui en est repris et que vous n’avez pas confirmé : cela ne compte pas encore. Mettez non pour confirmer, ou donnez un autre niveau.",
				"5. Si le classeur demande un mot de passe, gardez-le et enregistrez avec le même. Rendez le fichier à qui vous l’a donné.",
			},
			choose: "Choisissez dans la liste, ou laissez la cellule vide.",
			day:    "Écrivez une date, par exemple 2027-06-30, ou laissez la cellule vide.",

			formSheet: "Dépendances", formTitle: "De quoi dépendez-vous, et combien de temps pouvez-vous vous en passer ?",
			form: []string{
				"Dix lignes suffisent pour commencer : électricité, réseau, terminaux, logiciels, entreprises, personnes. Une ligne par chose.",
				"Heures : un nombre entier (0 = pas du tout ; 24 = un jour), ou « inconnu ». Inconnu est une réponse honnête.",
			},
		}
	}
	return words{
		guideTitle: "How to fill in this workbook",
		guide: []string{
			"1. Each sheet is a survey, each row an outcome. Read the question and the five levels, then fill in the light cells. The others are locked.",
			"2. Level: choose from the list. Not sure: the lower. \"Not applicable\" needs a reason.",
			"3. Evidence, asked for at 3 and 4: E0 our word, E1 a document, E2 our own test, E3 someone else's check.",
			"4. Target date: a date such as 2027-06-30. \"Carried over\" is yes for what comes from last year and nobody has confirmed; write no to confirm.",
			"5. Rows and columns may be sorted, moved and hidden. Keep the hidden columns: they say which row is which. Write no formulas.",
			"6. A cell left empty says nothing. Give the file back to whom you have it from: what was taken is said cell by cell.",
		},
		bodyGuide: []string{
			"1. Each row is an outcome. Read the question and the five levels, then choose the level of your body, and add a note where it helps. The other cells are locked.",
			"2. Not sure: the lower. \"Not applicable\" needs a reason; \"we prefer not to say\" is an answer. At 3 and 4 the evidence (E0 our word, E1 a document, E2 our own test, E3 someone else's check) and where it lies.",
			"3. Rows and columns may be sorted, moved and hidden. Keep the hidden columns: they say which row is which. Write no formulas.",
			"4. \"Last year\" is what you gave then. \"Carried over\" is yes for what was taken over from it and you have not confirmed: it does not count yet. Write no to confirm, or give another level.",
			"5. If the workbook asks for a password, keep it, and save with the same one. Give the file back to whom you have it from.",
		},
		choose: "Choose from the list, or leave the cell empty.",
		day:    "Write a date such as 2027-06-30, or leave the cell empty.",

		formSheet: "Dependencies", formTitle: "What do you depend on, and how long can you go without?",
		form: []string{
			"Ten rows are enough to begin with: power, networks, terminals, software, firms, people. One thing a row.",
			"Hours: a whole number (0 = not at all; 24 = a day), or \"unknown\". Unknown is an honest answer.",
		},
	}
}
