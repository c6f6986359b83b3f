package people

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// named makes a directory of active people with the given Chinese and English names; the number of each is its place.
func firmOf(names ...[2]string) *Directory {
	org := Org{ID: uuid.UUID{1}, TimeZone: "Asia/Shanghai"}
	var all []Person
	for i, n := range names {
		all = append(all, Person{OrgID: org.ID, ID: uuid.UUID{15: byte(i + 1)}, EmployeeNo: fmt.Sprintf("E%02d", i+1), Name: n[0], NameEn: n[1], Active: true,
			Email: fmt.Sprintf("p%d@example.com", i+1)})
	}
	return NewDirectory(org, 1, all, nil)
}

func found(list []Candidate) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.Person.EmployeeNo)
	}
	return out
}

func TestPeopleAreFoundHoweverTheirNameIsTyped(t *testing.T) {
	d := firmOf([2]string{"林晓", "Lin Xiao"}, [2]string{"王伟", "Wei Wang"}, [2]string{"王伟", "David Wang"}, [2]string{"单雄信", ""}, [2]string{"仇英", ""},
		[2]string{"尉迟恭", ""}, [2]string{"吕布", ""}, [2]string{"", "Tom O'Brien"}, [2]string{"曾小贤", "Zane"}, [2]string{"欧阳娜娜", "Nana Ouyang"})
	for query, want := range map[string][]string{
		"林晓": {"E01"}, "@林晓": {"E01"}, "＠林晓": {"E01"}, "lin xiao": {"E01"}, "Xiao Lin": {"E01"}, "linxiao": {"E01"}, "xiaolin": {"E01"}, "LX": {"E01"},
		"ｌｉｎｘｉａｏ": {"E01"}, "E01": {"E01"}, "e01": {"E01"}, "p1@example.com": {"E01"},
		"王伟": {"E02", "E03"}, "wangwei": {"E02", "E03"}, "david wang": {"E03"},
		"shanxiongxin": {"E04"}, "danxiongxin": {"E04"}, "qiuying": {"E05"}, "chouying": {"E05"}, "yuchigong": {"E06"}, "lvbu": {"E07"}, "lubu": {"E07"}, "lyubu": {"E07"},
		"tom obrien": {"E08"}, "Tom O’Brien": {"E08"}, "zengxiaoxian": {"E09"}, "ouyangnana": {"E10"}, "nana ouyang": {"E10"},
		"davi": {"E03"}, "david wnag": {"E03"}, "zengxiaoxain": {"E09"},
		"nobody": nil, "": nil, "@": nil, "王": {"E02", "E03"},
	} {
		if diff := cmp.Diff(want, found(d.Find(query, FindOptions{}))); diff != "" {
			t.Errorf("looking for %q (-want +got):\n%s", query, diff)
		}
	}
}

func TestOnlyAnExactAndSingleNameIsSure(t *testing.T) {
	d := firmOf([2]string{"林晓", "Lin Xiao"}, [2]string{"王伟", "Wei Wang"}, [2]string{"王伟", "David Wang"})
	for query, sure := range map[string]bool{"林晓": true, "linxiao": true, "E02": true, "王伟": false, "lx": false, "davi": false, "lin xiap": false, "nobody": false} {
		if _, ok := Sure(d.Find(query, FindOptions{})); ok != sure {
			t.Errorf("%q is sure: %v, want %v", query, ok, sure)
		}
	}
}

func TestWhoHasLeftIsNotFound(t *testing.T) {
	d := firmOf([2]string{"林晓", ""})
	p, _ := d.ByEmployeeNo("E01")
	p.Active = false
	if got := found(d.Apply(Changes{People: []Person{p}}, 2).Find("林晓", FindOptions{})); got != nil {
		t.Errorf("found %v, who has left", got)
	}
}

func TestTheNearComeFirstAmongEquals(t *testing.T) {
	d := firmOf([2]string{"王伟", ""}, [2]string{"王伟", ""}, [2]string{"李梅", ""})
	second, _ := d.ByEmployeeNo("E02")
	mei, _ := d.ByEmployeeNo("E03")
	second.ManagerID = mei.ID
	d = d.Apply(Changes{People: []Person{second}}, 2)
	if diff := cmp.Diff([]string{"E02", "E01"}, found(d.Find("王伟", FindOptions{Near: mei.ID}))); diff != "" {
		t.Errorf("for their manager (-want +got):\n%s", diff)
	}
}

func TestNamesAtTheBeginningOfATextAreSplitFromIt(t *testing.T) {
	d := firmOf([2]string{"林晓", "Lin Xiao"}, [2]string{"王凯", "Kai Wang"}, [2]string{"王伟", ""}, [2]string{"王伟", ""}, [2]string{"李梅", "Mei Li"})
	tests := []struct {
		text  string
		named [][]string // of each name, who it may mean
		rest  string
	}{
		{"@林晓 谢谢", [][]string{{"E01"}}, "谢谢"},
		{"lin xiao thanks a lot", [][]string{{"E01"}}, "thanks a lot"},
		{"@lin xiao thanks", [][]string{{"E01"}}, "thanks"},
		{"@林晓、@王凯 干得好", [][]string{{"E01"}, {"E02"}}, "干得好"},
		{"@林晓 和 @李梅 干得好", [][]string{{"E01"}, {"E05"}}, "干得好"},
		{"@linxiao and @kaiwang: great", [][]string{{"E01"}, {"E02"}}, "great"},
		{"@王伟 干得好", [][]string{{"E03", "E04"}}, "干得好"},
		{"@nosuchone hello", [][]string{nil}, "hello"},
		{"谢谢大家", nil, "谢谢大家"},
		{"great work everyone", nil, "great work everyone"},
		{"lx is short for nobody", nil, "lx is short for nobody"},
		{"", nil, ""},
		{"林晓", [][]string{{"E01"}}, ""},
		{"@", nil, "@"},
	}
	for _, tt := range tests {
		named, rest := d.Leading(tt.text)
		var got [][]string
		for _, n := range named {
			got = append(got, found(n.Found))
		}
		if diff := cmp.Diff(tt.named, got); diff != "" || rest != tt.rest {
			t.Errorf("%q: rest %q, want %q; names (-want +got):\n%s", tt.text, rest, tt.rest, diff)
		}
	}
}

func FuzzLeading(f *testing.F) {
	d := firmOf([2]string{"林晓", "Lin Xiao"}, [2]string{"王伟", ""})
	for _, s := range []string{"@林晓 谢谢", "@@", "＠", "lin", "、、", "\u200b", string([]byte{0xff})} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if named, rest := d.Leading(s); len(named) > 0 && len(rest) >= len(s) {
			t.Errorf("a name was split off %q and nothing was used up", s)
		}
	})
}

func BenchmarkFindWithATypo(b *testing.B) {
	var names [][2]string
	for i := range 250 {
		names = append(names, [2]string{string([]rune{'王' + rune(i%7), '伟' + rune(i)}), fmt.Sprintf("Person%d Wang", i)})
	}
	d := firmOf(names...)
	d.Find("x", FindOptions{})
	for b.Loop() {
		d.Find("person77 wnag", FindOptions{})
	}
}
