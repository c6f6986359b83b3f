package dingtalksim

import (
	"strconv"
	"strings"
	"time"

	"huiyin/bot/sim/backstage"
)

const (
	noticeReceivers = 100
	noticeBytes     = 2048
	noticesADay     = 500
)

// noticeTypes are the messages of work notices and their strings, in snake_case. Others (oa, file, voice) are not taken here.
func noticeTypes() map[string]map[string]string {
	return map[string]map[string]string{
		"text":        {"content": plainParam},
		"markdown":    {"title": plainParam, "text": markdownParam},
		"link":        {"title": plainParam, "text": plainParam, "messageUrl": linkParam, "picUrl": imageParam},
		"action_card": {"title": plainParam, "markdown": markdownParam},
	}
}

// workNotice takes a work notice. Success does not mean that anybody got it: the same content reaches a person once a day, and
// 500 a day reach anybody, and the answer is the same.
// https://open.dingtalk.com/document/development/asynchronous-sending-of-enterprise-session-messages
func workNotice(s *Server, q request) answer {
	agent, isAgent := q.integer("agent_id")
	msg, isMsg := q.json["msg"].(map[string]any)
	all, _ := q.json["to_all_user"].(bool)
	users := strings.FieldsFunc(q.str("userid_list"), func(r rune) bool { return r == ',' })
	kind, _ := msg["msgtype"].(string)
	params, known := noticeTypes()[kind]
	part, isPart := msg[kind].(map[string]any)
	encoded := string(backstage.EncodeJSON(msg))
	i := inspection{s: s, about: q.about}
	if all {
		i.find(Must, "notice.to_all_user", "/to_all_user", 0)
	}
	switch {
	case !isAgent || agent != s.opts.AgentID:
		return deny(40056, "不合法的agentid")
	case all || q.json["dept_id_list"] != nil:
		return deny(40035, "不合法的参数: userid_list only")
	case len(users) == 0:
		return deny(400002, "参数userid_list不能为空")
	case len(users) > noticeReceivers:
		return deny(40035, "不合法的参数: userid_list has more than 100")
	case !isMsg || !known || !isPart:
		return deny(40008, "不合法的消息类型")
	case len(encoded) > noticeBytes:
		return deny(40035, "不合法的参数: msg is longer than 2048 bytes")
	}
	for _, name := range sorted(params) {
		v, isText := part[name].(string)
		at := "/msg/" + kind + "/" + name
		switch {
		case !isText || strings.TrimSpace(v) == "":
			return deny(40035, "不合法的参数: "+kind+"."+name+" is missing or blank")
		case params[name] == markdownParam:
			i.markdown(at, v)
		case params[name] == linkParam:
			i.link(at, v)
		case params[name] == imageParam:
			i.image(at, v)
		default:
			i.plain(at, v)
		}
	}
	day := s.Now().In(shanghai).Format(time.DateOnly)
	for _, id := range users {
		p := s.member(id)
		key := id + " " + encoded
		last, sent := s.world.notices[key]
		count := "notice " + day + " " + id
		if p == nil || sent && last.In(shanghai).Format(time.DateOnly) == day || s.world.seq[count] >= noticesADay {
			continue
		}
		s.world.notices[key] = s.Now()
		s.world.count(count)
		s.say(&Message{Chat: s.own(Notice, id).ID, Sender: strconv.FormatInt(agent, 10), Via: ViaNotice, Type: kind, Content: string(backstage.EncodeJSON(part))})
	}
	return ok(map[string]any{"task_id": 256_000_000_000 + s.world.count("task")})
}
