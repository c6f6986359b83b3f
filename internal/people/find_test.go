package people

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// named makes a directory of active people with the given Chinese and English names; the number of each is its place.
func firmOf(names ...[2]string) *Directory {
	org := Org{ID: uuid.UUID{1}, TimeZone: "Asia/Shanghai"}
	var all []Person
	for i, n := range names {
		all = append(all, Person{
			OrgID: org.ID, ID: uuid.UUID{15: byte(i + 1)}, EmployeeNo: fmt.Sprintf("E%02d", i+1), Name: n[0], NameEn: n[1], Active: true,
			Email: fmt.Sprintf("p%d@example.com", i+1),
		})
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
		"nobody": nil, "": nil, "@": nil, "王": {"E02", "E03"}, strings.Repeat("林", 5_000): nil,
		"雄信": {"E04"}, "娜娜": {"E10"}, "小贤": {"E09"}, "林小": {"E01"}, "林曉": {"E01"}, "增小贤": {"E09"}, "于迟恭": {"E06"},
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

func TestANameThatIsAlsoAnothersPinyinIsNotSure(t *testing.T) {
	d := firmOf([2]string{"林晓", ""}, [2]string{"", "Lin Xiao"}, [2]string{"林晓明", ""})
	for query, sure := range map[string]string{"linxiao": "", "lin xiao": "", "林晓": "E01", "E02": "E02", "p3@example.com": "E03"} {
		who, ok := Sure(d.Find(query, FindOptions{}))
		if ok != (sure != "") || who.EmployeeNo != sure {
			t.Errorf("%q is surely %q, want %q", query, who.EmployeeNo, sure)
		}
	}
}

func TestAnAccountsNameAndAddressFindItsPerson(t *testing.T) {
	d := firmOf([2]string{"林晓", ""}, [2]string{"王伟", ""})
	d = d.Apply(Changes{Identities: []Identity{
		{Platform: "slack", ExternalID: "U1", PersonID: uuid.UUID{15: 1}, State: Confirmed, Name: "Sunny Lin", Email: "sunny@chat.example"},
		{Platform: "slack", ExternalID: "U2", PersonID: uuid.UUID{15: 2}, State: Proposed, Name: "Cloudy Wang", Email: "cloudy@chat.example"},
	}}, 2)
	for query, want := range map[string][]string{"sunny lin": {"E01"}, "@Sunny": {"E01"}, "sunny@chat.example": {"E01"}, "cloudy wang": nil, "cloudy@chat.example": nil} {
		if diff := cmp.Diff(want, found(d.Find(query, FindOptions{}))); diff != "" {
			t.Errorf("looking for %q (-want +got):\n%s", query, diff)
		}
	}
}

func TestManyOfOneNameAreCutAtTheLimit(t *testing.T) {
	var names [][2]string
	for range 30 {
		names = append(names, [2]string{"王伟", ""})
	}
	d := firmOf(names...)
	for limit, want := range map[int]int{0: 10, 3: 3, 50: 30} {
		if got := len(d.Find("王伟", FindOptions{Limit: limit})); got != want {
			t.Errorf("with a limit of %d, %d were found, want %d", limit, got, want)
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
		{"王凯 lin xiao thanks", [][]string{{"E02"}, {"E01"}}, "thanks"},
		{"@林晓@王凯 干得好", [][]string{{"E01"}, {"E02"}}, "干得好"},
		{"林晓和王凯 干得好", [][]string{{"E01"}, {"E02"}}, "干得好"},
		{"林晓和王凯昨天帮了我", [][]string{{"E01"}, {"E02"}}, "昨天帮了我"},
		{"林晓和平时一样", [][]string{{"E01"}}, "和平时一样"},
		{"@林晓, thanks", [][]string{{"E01"}}, "thanks"},
		{"@林晓: 王凯 很棒", [][]string{{"E01"}}, "王凯 很棒"},
		{"林晓！", [][]string{{"E01"}}, "！"},
		{"@林晓谢谢你", [][]string{{"E01"}}, "谢谢你"},
		{"林晓谢谢你", [][]string{{"E01"}}, "谢谢你"},
		{"@林晓晓 谢谢", [][]string{nil}, "谢谢"},
		{"林晓晓 谢谢", nil, "林晓晓 谢谢"},
		{"@王凯 林晓谢谢你", [][]string{{"E02"}}, "林晓谢谢你"},
		{"p1@example.com thanks", [][]string{{"E01"}}, "thanks"},
		{"@lin xiao & kai wang, well done", [][]string{{"E01"}, {"E02"}}, "well done"},
		{"@lin xiao and others", [][]string{{"E01"}}, "and others"},
		{"E02 thanks", [][]string{{"E02"}}, "thanks"},
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

func TestANameThatRunsIntoTheTextIsOnlyLikely(t *testing.T) {
	d := firmOf([2]string{"林晓", ""}, [2]string{"王凯", ""})
	for text, sure := range map[string][]bool{
		"@林晓 谢谢": {true}, "@林晓谢谢你": {false}, "林晓谢谢你": {false}, "林晓和王凯 干得好": {true, true}, "林晓和王凯昨天帮了我": {true, false},
	} {
		named, _ := d.Leading(text)
		var got []bool
		for _, n := range named {
			_, ok := Sure(n.Found)
			got = append(got, ok)
		}
		if diff := cmp.Diff(sure, got); diff != "" {
			t.Errorf("%q: which names are sure (-want +got):\n%s", text, diff)
		}
	}
}

func TestALongTextIsReadInTime(t *testing.T) {
	d := firmOf([2]string{"林晓", ""})
	for _, text := range []string{strings.Repeat("林晓和", 13_000), strings.Repeat("林晓", 20_000), strings.Repeat("@", 40_000), strings.Repeat("a ", 20_000), strings.Repeat("林晓、", 13_000)} {
		named, rest := d.Leading(text)
		if len(rest) > len(text) || len(named) > mostNames {
			t.Errorf("%.9s…: %d names and a rest of %d bytes", text, len(named), len(rest))
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

func BenchmarkFindAmongAHundredThousand(b *testing.B) {
	org := Org{ID: uuid.UUID{1}}
	surnames, given := []rune("王李张刘陈杨黄赵吴周林单曾"), []rune("晓伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀英霞平刚桂")
	var all []Person
	for i := range 100_000 {
		name := string([]rune{surnames[i%len(surnames)], given[i/13%len(given)], given[i/300%len(given)]})
		all = append(all, Person{OrgID: org.ID, ID: uuid.UUID{12: byte(i >> 16), 13: byte(i >> 8), 14: byte(i), 15: 1}, EmployeeNo: fmt.Sprint(i), Name: name, NameEn: fmt.Sprintf("Kai%d Wang", i), Email: fmt.Sprintf("p%d@example.com", i), Active: true})
	}
	b.Run("index", func(b *testing.B) {
		for b.Loop() {
			NewDirectory(org, 1, all, nil).Find("x", FindOptions{})
		}
	})
	d := NewDirectory(org, 1, all, nil)
	for _, query := range []string{"林晓伟", "linxiaowei", "lin", "kai777 wnag"} {
		b.Run(query, func(b *testing.B) {
			for b.Loop() {
				d.Find(query, FindOptions{})
			}
		})
	}
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

func TestManyRenamesInARowAreFound(t *testing.T) {
	d := firmOf([2]string{"林晓", ""}, [2]string{"王伟", ""})
	for i := range 300 { // past the point at which the index is made anew
		p, _ := d.ByEmployeeNo("E01")
		before := p.NameEn
		p.NameEn = fmt.Sprintf("Name%d", i)
		added := Person{ID: uuid.UUID{14: byte(1 + i/250), 15: byte(i % 250)}, EmployeeNo: fmt.Sprintf("N%d", i), Name: fmt.Sprintf("新人%d", i), Active: true}
		d = d.Apply(Changes{People: []Person{p, added}}, int64(i+2))
		for query, want := range map[string][]string{p.NameEn: {"E01"}, added.Name: {added.EmployeeNo}, "王伟": {"E02"}} {
			if diff := cmp.Diff(want, found(d.Find(query, FindOptions{}))); diff != "" {
				t.Fatalf("after %d changes, looking for %q (-want +got):\n%s", i+1, query, diff)
			}
		}
		if named, _ := d.Leading("@" + before + " thanks"); before != "" && len(named) > 0 {
			if _, sure := Sure(named[0].Found); sure {
				t.Fatalf("after %d changes, the old name %q is still sure", i+1, before)
			}
		}
	}
}
