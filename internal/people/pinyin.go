package people

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

// surnameReadings are the surnames that sound otherwise than the same character elsewhere; the first is the usual one. They come before the
// dictionary's readings, which stay findable: people type what they believe. (《现代汉语词典》第7版, entries of the surnames.)
func surnameReadings() map[string]string {
	return map[string]string{
		"单": "shan", "曾": "zeng", "仇": "qiu", "解": "xie", "区": "ou", "查": "zha", "任": "ren", "盖": "ge", "朴": "piao", "翟": "zhai",
		"缪": "miao", "尉": "wei", "繁": "po", "员": "yun", "贠": "yun", "召": "shao", "折": "she", "黑": "he", "乐": "yue", "华": "hua",
		"洗": "xian", "冼": "xian", "秘": "bi", "重": "chong", "覃": "qin", "哈": "ha", "能": "nai", "种": "chong", "石": "shi", "万": "wan",
		"牟": "mu", "宓": "mi", "晟": "cheng", "句": "gou", "燕": "yan", "令": "ling", "宁": "ning", "纪": "ji", "应": "ying", "那": "na",
		"祭": "zhai", "隗": "wei", "撒": "sa", "逄": "pang", "訾": "zi", "车": "che", "都": "du", "薄": "bo", "谌": "chen", "郗": "xi", "过": "guo", "佴": "nai",
		"尉迟": "yuchi", "万俟": "moqi", "澹台": "tantai", "长孙": "zhangsun", "单于": "chanyu", "令狐": "linghu", "欧阳": "ouyang",
		"上官": "shangguan", "司马": "sima", "诸葛": "zhuge", "夏侯": "xiahou", "皇甫": "huangfu", "东方": "dongfang", "公孙": "gongsun",
		"慕容": "murong", "宇文": "yuwen", "司徒": "situ", "独孤": "dugu", "南宫": "nangong", "西门": "ximen",
		"轩辕": "xuanyuan", "端木": "duanmu", "百里": "baili", "呼延": "huyan", "闻人": "wenren", "钟离": "zhongli", "太史": "taishi", "申屠": "shentu",
		"公羊": "gongyang", "淳于": "chunyu", "太叔": "taishu", "鲜于": "xianyu", "闾丘": "lvqiu", "司空": "sikong", "司寇": "sikou", "仲孙": "zhongsun",
		"公冶": "gongye", "宗政": "zongzheng", "濮阳": "puyang", "赫连": "helian", "拓跋": "tuoba", "第五": "diwu", "左丘": "zuoqiu", "东郭": "dongguo",
		"亓官": "qiguan", "宰父": "zaifu", "谷梁": "guliang", "段干": "duangan", "漆雕": "qidiao", "颛孙": "zhuansun", "乐正": "yuezheng", "东门": "dongmen",
	}
}

var surnames = surnameReadings()

// mostReadings bounds the readings of one name: two characters of three readings each are nine.
const mostReadings = 24

// spellings are the ways to write a Chinese name in Latin letters: surname and given name in either order, in every reading, and the
// initials. What is not written in Chinese characters has none.
func spellings(name string) (full, initials []string) {
	name = strings.ReplaceAll(name, " ", "")
	for _, r := range name {
		if !unicode.Is(unicode.Han, r) {
			return nil, nil
		}
	}
	if utf8.RuneCountInString(name) < 2 {
		return nil, nil
	}
	surname := surnameOf(name)
	for _, s := range readings(surname, true) {
		for _, g := range readings(strings.TrimPrefix(name, surname), false) {
			if len(full) >= 2*mostReadings {
				return full, initials
			}
			full = append(full, s.text+g.text, g.text+s.text)
			initials = append(initials, s.initials+g.initials)
		}
	}
	return full, initials
}

// givenName is a Chinese name without its surname; "" when it is not written in Chinese characters.
func givenName(name string) string {
	name = strings.ReplaceAll(name, " ", "")
	if r, _ := utf8.DecodeRuneInString(name); !unicode.Is(unicode.Han, r) {
		return ""
	}
	return strings.TrimPrefix(name, surnameOf(name))
}

// surnameOf is the first character, or the first two when they are a surname of two.
func surnameOf(name string) string {
	r := []rune(name)
	if len(r) > 2 {
		if _, ok := surnames[string(r[:2])]; ok {
			return string(r[:2])
		}
	}
	return string(r[:1])
}

type reading struct{ text, initials string }

// readings are the ways to read some characters aloud.
func readings(chars string, surname bool) []reading {
	out := []reading{{}}
	if usual, ok := surnames[chars]; surname && ok && utf8.RuneCountInString(chars) > 1 {
		initials := ""
		for _, r := range chars {
			if all := syllables(r); len(all) > 0 {
				initials += all[0][:1]
			}
		}
		return []reading{{usual, usual[:1] + initials[1:]}}
	}
	for _, r := range chars {
		all := syllables(r)
		if usual, ok := surnames[string(r)]; surname && ok {
			all = append([]string{usual}, all...)
		}
		var next []reading
		seen := map[string]bool{}
		for _, syllable := range all {
			for _, s := range latin(syllable) {
				if seen[s] {
					continue
				}
				seen[s] = true
				for _, before := range out {
					if len(next) < mostReadings {
						next = append(next, reading{before.text + s, before.initials + s[:1]})
					}
				}
			}
		}
		if next != nil {
			out = next
		}
	}
	return out
}

// syllables are all readings of a character, without tones. They are kept: the library matches regular expressions for each.
func syllables(r rune) []string {
	if known, ok := read.Load(r); ok {
		return known.([]string)
	}
	args := pinyin.NewArgs()
	args.Heteronym = true
	all := pinyin.SinglePinyin(r, args)
	read.Store(r, all)
	return all
}

var read sync.Map // rune to []string

// latin are the ways to type a syllable with ü: 吕 is lv, lu and lyu (passports).
func latin(syllable string) []string {
	syllable = strings.ReplaceAll(syllable, "ü", "v")
	if !strings.Contains(syllable, "v") {
		return []string{syllable}
	}
	return []string{syllable, strings.ReplaceAll(syllable, "v", "u"), strings.ReplaceAll(syllable, "v", "yu")}
}
