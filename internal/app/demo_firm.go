package app

import (
	"bytes"
	"context"
	"embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"huiyin/feedback"
	"huiyin/internal/fault"
	"huiyin/internal/people"
)

//go:embed demo/*.csv
var samples embed.FS

// firm is the sample firm as its files tell it, read by the same import and the same services that a real one uses.
type firm struct {
	people   [][]string // with the header of a people file
	names    [][]string // for those who are made up beyond the file
	values   [][]string
	history  [][]string
	accounts []account // of the workspace, that no row of people has
}

type account struct{ id, name, email, kind string }

func readFirm() (firm, error) {
	var f firm
	var accounts [][]string
	for name, to := range map[string]*[][]string{
		"people": &f.people, "names": &f.names, "values": &f.values, "history": &f.history, "accounts": &accounts,
	} {
		text, err := samples.ReadFile("demo/" + name + ".csv")
		if err != nil {
			return firm{}, fmt.Errorf("reading the sample firm: %w", err)
		}
		if *to, err = csv.NewReader(bytes.NewReader(text)).ReadAll(); err != nil {
			return firm{}, fmt.Errorf("reading the sample firm: %w", err)
		}
	}
	for _, row := range accounts[1:] {
		f.accounts = append(f.accounts, account{row[0], row[1], row[2], row[3]})
	}
	return f, nil
}

// size is how many people the file has, those who left included.
func (f *firm) size() int { return len(f.people) - 1 }

// Columns of the people file that grow reads and writes.
const (
	colNumber = iota
	colName
	colNameEn
	colEmail
	colDepartment
	colManager
	colTitle
	colRole
	colHired
	colZone
	colLanguage
	colSlack
	colFeishu
	colDingTalk
	colActive
	columns
)

// grow makes up people until there are n: teams of four, each led by its first member, below the leads of the file in turn.
func (f *firm) grow(n int) {
	var leads [][]string
	for _, row := range f.people[1:] {
		isLead := slices.ContainsFunc(f.people[1:], func(r []string) bool { return r[colManager] == row[colNumber] })
		if isLead && row[colManager] != "" {
			leads = append(leads, row)
		}
	}
	names := f.names[1:]
	boss := ""
	for i := 0; f.size() < n; i++ {
		no := f.size() + 1
		a, b := names[i%len(names)], names[i/len(names)%len(names)]
		above := leads[i/4%len(leads)]
		row := make([]string, columns)
		row[colNumber], row[colName], row[colNameEn] = fmt.Sprintf("E%03d", no), a[0]+b[2], b[3]+" "+a[1]
		row[colEmail] = fmt.Sprintf("%s.%s.%d@cloudsail.example", strings.ToLower(b[3]), strings.ToLower(a[1]), no)
		row[colDepartment] = above[colDepartment] + "/" + strconv.Itoa(2+i/4/len(leads))
		row[colSlack], row[colFeishu], row[colDingTalk] = fmt.Sprintf("U0FIRM%04d", no), fmt.Sprintf("ou_firm%024d", no), fmt.Sprintf("0166%04d", no)
		row[colTitle] = above[colTitle]
		if row[colManager] = boss; i%4 == 0 {
			row[colManager], boss = above[colNumber], row[colNumber]
		}
		f.people = append(f.people, row)
	}
}

// moveIn imports the people and lets some of them talk, and gives the directory after it.
func (f *firm) moveIn(ctx context.Context, a *App) (*people.Directory, error) {
	var file bytes.Buffer
	if err := csv.NewWriter(&file).WriteAll(f.people); err != nil {
		return nil, fmt.Errorf("writing the people file: %w", err)
	}
	if err := a.importPeople(ctx, &file); err != nil {
		return nil, err
	}
	dir, err := a.cache.Refresh(ctx, a.org.ID)
	if err != nil {
		return nil, err
	}
	s := &feedback.Service{Store: a.db.Feedback, NewID: newID}
	var values []feedback.Value
	for _, row := range f.values[1:] {
		values = append(values, feedback.Value{Name: row[0], NameEn: row[1]})
	}
	if err := s.SaveValues(ctx, dir, people.Cause{OrgID: a.org.ID, At: a.now(), Actor: people.Operator}, values); err != nil {
		return nil, fmt.Errorf("saving values: %w", err)
	}
	for i, row := range f.history[1:] {
		if err := f.happen(ctx, a, s, dir, row); err != nil {
			return nil, fmt.Errorf("line %d of the history: %w", i+2, err)
		}
	}
	return dir, nil
}

// happen is one row of the history: kind, author, receivers, days ago, text, tag.
func (f *firm) happen(ctx context.Context, a *App, s *feedback.Service, dir *people.Directory, row []string) error {
	var to []uuid.UUID
	for no := range strings.FieldsSeq(row[2]) {
		p, ok := dir.ByEmployeeNo(no)
		if !ok {
			return fault.New(fault.NotFound, "feedback.receiver.unknown")
		}
		to = append(to, p.ID)
	}
	author, ok := dir.ByEmployeeNo(row[1])
	days, err := strconv.Atoi(row[3])
	if !ok || err != nil {
		return fmt.Errorf("author %s or day %s is none", row[1], row[3])
	}
	// Over the day, rather than all in one second; the minutes come from the text, so they are always the same.
	at := a.now().AddDate(0, 0, -days).Add(-time.Duration(len(row[4])%120) * time.Minute)
	cause := people.Cause{OrgID: a.org.ID, Directory: dir.Version(), At: at, Actor: author.ID}
	switch row[0] {
	case "praise":
		_, err = s.Praise(ctx, dir, cause, feedback.PraiseDraft{Receivers: to, Text: row[4], Tags: strings.Fields(row[5])})
	case "note":
		_, err = s.Note(ctx, dir, cause, to[0], row[4])
	case "ask":
		_, err = s.Ask(ctx, dir, cause, to, row[4])
	case "event":
		_, err = s.LogEvent(ctx, dir, cause, row[4], "", at)
	default:
		err = fmt.Errorf("nothing happens by the name of %s", row[0])
	}
	return err
}
