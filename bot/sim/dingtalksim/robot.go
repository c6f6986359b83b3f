package dingtalksim

import (
	"net/http"
	"slices"
	"time"

	"huiyin/bot/sim/backstage"
)

// maxReceivers is the number of userIds of a batch send; an error text of the vendor's says 100, the parameter's own
// documentation 20. https://open.dingtalk.com/document/development/chatbots-send-one-on-one-chat-messages-in-batches
const maxReceivers = 20

// recallLife is how long the robot can take a message back.
const recallLife = 24 * time.Hour

// robot checks the robotCode. s.mu is held.
func (s *Server) robot(q request) *answer {
	var a answer
	switch code := q.str("robotCode"); code {
	case "":
		a = refuse("invalidParameter.robotCode.empty", "robotCode is empty")
	case s.opts.RobotCode:
		return nil
	default:
		a = answer{status: http.StatusNotFound, code: "resource.not.found", msg: "robot does not exist"}
	}
	return &a
}

func batchSend(s *Server, q request) answer {
	if refusal := s.robot(q); refusal != nil {
		return *refusal
	}
	ids, isList := strs(q.json["userIds"])
	switch {
	case q.json["userIds"] != nil && !isList:
		return refuse("invalidParameter.param.invalid", "userIds must be a list of strings")
	case len(ids) == 0:
		return refuse("invalidParameter.userIds.empty", "userIds is empty")
	case len(ids) > maxReceivers:
		f := q.about
		f.Rule, f.Pointer, f.Length = "robot.over_20_users", "/userIds", len(ids)
		s.find(f)
		return refuse("invalidParameter.userIds.overMax", "userIds has more than 20")
	}
	key, content, refusal := s.checkMessage(q, false)
	if refusal != nil {
		return *refusal
	}
	invalid, flooded, reached := []string{}, []string{}, []string{}
	for _, id := range ids {
		switch p := s.member(id); {
		case p == nil || p.Inactive:
			invalid = append(invalid, id)
		case slices.Contains(reached, id):
		case q.fault.FlowControl || s.flooded(q, id):
			flooded = append(flooded, id)
		default:
			reached = append(reached, id)
		}
	}
	if len(invalid) == len(ids) || len(invalid) > 0 && s.opts.OneBadIDFails {
		return refuse("staffId.notExisted", "staffId is not existed")
	}
	query := backstage.HexID("query", s.world.count("query"))
	for _, id := range reached {
		s.say(&Message{
			Chat: s.own(P2P, id).ID, Sender: s.opts.RobotCode, Via: ViaAPI, Type: key, Content: content, Query: query,
		})
	}
	return ok(map[string]any{
		"processQueryKey": query, "invalidStaffIdList": invalid, "flowControlledStaffIdList": flooded, "filteredStaffIdList": []string{},
	})
}

func groupSend(s *Server, q request) answer {
	if refusal := s.robot(q); refusal != nil {
		return *refusal
	}
	c := s.world.chats[q.str("openConversationId")]
	switch {
	case c == nil || c.Kind != Group:
		return refuse("invalid.openConversationId", "openConversationId is invalid")
	case c.Dissolved:
		return refuse("group.disbanded", "the group is disbanded")
	case !s.hasBot(c):
		return refuse("resource.unavailable", "the robot is not in the group")
	}
	key, content, refusal := s.checkMessage(q, true)
	if refusal != nil {
		return *refusal
	}
	query := backstage.HexID("query", s.world.count("query"))
	s.say(&Message{Chat: c.ID, Sender: s.opts.RobotCode, Via: ViaAPI, Type: key, Content: content, Query: query})
	return ok(map[string]any{"processQueryKey": query})
}

// batchRecall takes single messages back. The documented path says otoMessages, unlike all others.
// https://open.dingtalk.com/document/development/batch-message-recall-chat
func batchRecall(s *Server, q request) answer {
	if q.name == "robot.oToMessages.batchRecall" {
		f := q.about
		f.Severity, f.Rule, f.Detail = Should, "path.undocumented", "otoMessages/batchRecall"
		s.find(f)
	}
	return s.recall(q, func(c *Chat) bool { return c.Kind == P2P })
}

func groupRecall(s *Server, q request) answer {
	id := q.str("openConversationId")
	if c := s.world.chats[id]; c == nil || c.Kind != Group {
		return refuse("invalid.openConversationId", "openConversationId is invalid")
	}
	return s.recall(q, func(c *Chat) bool { return c.ID == id })
}

func (s *Server) recall(q request, in func(*Chat) bool) answer {
	if refusal := s.robot(q); refusal != nil {
		return *refusal
	}
	keys, isList := strs(q.json["processQueryKeys"])
	if !isList || len(keys) == 0 || len(keys) > maxReceivers {
		return refuse("invalidParameter.param.invalid", "processQueryKeys must be a list of 1 to 20")
	}
	done, failed := []string{}, map[string]string{}
	for _, key := range keys {
		failed[key] = "processQueryKey is not existed"
		for _, m := range s.world.messages {
			if m.Query != key || key == "" || !in(s.world.chats[m.Chat]) {
				continue
			}
			if s.Now().Sub(m.Created) >= recallLife {
				failed[key] = "the message is older than 24 hours"
				continue
			}
			delete(failed, key)
			m.Recalled = true
			s.changes.Tell(Change{Kind: ChangeMessage, Chat: m.Chat, Message: m.ID})
		}
		if failed[key] == "" {
			done = append(done, key)
		}
	}
	return ok(map[string]any{"successResult": done, "failedResult": failed})
}
