package config

// Setting is one row of the table: what may be decided, how it is read, and the message that says what it is.
type Setting struct {
	Name    string // HUIYIN_…
	Area    Area
	Default string // as an operator would write it; empty: none
	Kind    Kind
	Choices []string // of a Choice
	Schemes []string // of the URL of a Postgres or Redis
	Secret  bool     // never printed, and better kept in a file
	Key     string   // message "config.…": what it is
	Later   bool     // known and checked, but without effect in this release

	put parser
}

// Kind is the shape of a value; the message "config.kind.…" describes it.
type Kind string

// The kinds of value.
const (
	Text     Kind = "text"
	Address  Kind = "address"  // host:port
	Web      Kind = "web"      // http or https URL
	Postgres Kind = "postgres" // postgres URL
	Redis    Kind = "redis"    // redis or rediss URL
	Folder   Kind = "folder"
	Key      Kind = "key"    // 32 bytes in base64
	Zone     Kind = "zone"   // IANA name
	Choice   Kind = "choice" // one of a few words
	Number   Kind = "number" // whole, not negative
)

// Kinds lists every kind of value.
func Kinds() []Kind {
	return []Kind{Text, Address, Web, Postgres, Redis, Folder, Key, Zone, Choice, Number}
}

// Area groups settings on the reference page; the message "config.area.…" is its heading.
type Area string

const (
	areaServer   Area = "server"
	areaStorage  Area = "storage"
	areaFirm     Area = "firm"
	areaSlack    Area = "slack"
	areaFeishu   Area = "feishu"
	areaDingTalk Area = "dingtalk"
)

// Areas lists the areas in the order of the page.
func Areas() []Area {
	return []Area{areaServer, areaStorage, areaFirm, areaSlack, areaFeishu, areaDingTalk}
}

// Names of settings that other rows, or messages, speak of.
const (
	SecretKey             = "HUIYIN_SECRET_KEY"
	keystoreDir           = "HUIYIN_KEYSTORE_DIR"
	slackSigningSecret    = "HUIYIN_SLACK_SIGNING_SECRET"
	slackBotToken         = "HUIYIN_SLACK_BOT_TOKEN"
	slackAppToken         = "HUIYIN_SLACK_APP_TOKEN"
	slackPraiseChannel    = "HUIYIN_SLACK_PRAISE_CHANNEL"
	feishuAppID           = "HUIYIN_FEISHU_APP_ID"
	feishuAppSecret       = "HUIYIN_FEISHU_APP_SECRET"
	feishuEncryptKey      = "HUIYIN_FEISHU_ENCRYPT_KEY"
	feishuPraiseChannel   = "HUIYIN_FEISHU_PRAISE_CHANNEL"
	dingtalkClientID      = "HUIYIN_DINGTALK_CLIENT_ID"
	dingtalkClientSecret  = "HUIYIN_DINGTALK_CLIENT_SECRET"
	dingtalkPraiseChannel = "HUIYIN_DINGTALK_PRAISE_CHANNEL"
	dingtalkEventToken    = "HUIYIN_DINGTALK_EVENT_TOKEN"
	dingtalkEventKey      = "HUIYIN_DINGTALK_EVENT_AES_KEY"
)

// How a platform that offers both is listened to.
const (
	modeStream  = "stream"
	modeWebhook = "webhook"
)

// Settings is the one table of settings: reading, checks, doctor and docs/*/configuration.md all follow from it.
func Settings() []Setting {
	modes, switches := []string{modeStream, modeWebhook}, []string{"on", "off"}
	return []Setting{
		{Name: "HUIYIN_LISTEN", Area: areaServer, Default: "127.0.0.1:8080", Kind: Address, Key: "config.listen", put: address(func(c *Config) *string { return &c.Listen })},
		{Name: "HUIYIN_PUBLIC_URL", Area: areaServer, Kind: Web, Key: "config.public_url", put: web(func(c *Config) *string { return &c.PublicURL }, "")},
		{Name: "HUIYIN_METRICS_LISTEN", Area: areaServer, Kind: Address, Key: "config.metrics_listen", put: address(func(c *Config) *string { return &c.MetricsListen })},
		{Name: "HUIYIN_LOG_LEVEL", Area: areaServer, Default: "info", Kind: Choice, Choices: []string{"debug", "info", "warn", "error"}, Key: "config.log_level", put: level},
		{Name: "HUIYIN_LOG_FORMAT", Area: areaServer, Kind: Choice, Choices: []string{"text", "json"}, Key: "config.log_format", put: choice(func(c *Config) *string { return &c.LogFormat })},
		{Name: SecretKey, Area: areaServer, Kind: Key, Secret: true, Key: "config.secret_key", put: key(func(c *Config) *Secret { return &c.SecretKey })},
		{Name: "HUIYIN_API_TOKEN", Area: areaServer, Kind: Text, Secret: true, Later: true, Key: "config.api_token", put: secret(func(c *Config) *Secret { return &c.APIToken })},

		{Name: "HUIYIN_DATA_DIR", Area: areaStorage, Default: "./.huiyin", Kind: Folder, Key: "config.data_dir", put: folder(func(c *Config) *string { return &c.DataDir })},
		{Name: "HUIYIN_DATABASE_URL", Area: areaStorage, Kind: Postgres, Schemes: []string{"postgres", "postgresql"}, Secret: true, Key: "config.database_url", put: server(func(c *Config) *Secret { return &c.DatabaseURL })},
		{Name: "HUIYIN_MIGRATE", Area: areaStorage, Default: "on", Kind: Choice, Choices: switches, Key: "config.migrate", put: onOff(func(c *Config) *bool { return &c.Migrate })},
		{Name: "HUIYIN_REDIS_URL", Area: areaStorage, Kind: Redis, Schemes: []string{"redis", "rediss", "unix"}, Secret: true, Key: "config.redis_url", put: server(func(c *Config) *Secret { return &c.RedisURL })},
		{Name: keystoreDir, Area: areaStorage, Kind: Folder, Later: true, Key: "config.keystore_dir", put: folder(func(c *Config) *string { return &c.KeystoreDir })},

		{Name: "HUIYIN_TIMEZONE", Area: areaFirm, Default: "Asia/Shanghai", Kind: Zone, Key: "config.timezone", put: zone(func(c *Config) *string { return &c.TimeZone })},
		{Name: "HUIYIN_LANG", Area: areaFirm, Default: "zh-CN", Kind: Choice, Choices: []string{"zh-CN", "en"}, Key: "config.lang", put: choice(func(c *Config) *string { return &c.Lang })},

		{Name: slackSigningSecret, Area: areaSlack, Kind: Text, Secret: true, Key: "config.slack.signing_secret", put: secret(func(c *Config) *Secret { return &c.Slack.SigningSecret })},
		{Name: slackBotToken, Area: areaSlack, Kind: Text, Secret: true, Key: "config.slack.bot_token", put: secret(func(c *Config) *Secret { return &c.Slack.BotToken })},
		{Name: slackAppToken, Area: areaSlack, Kind: Text, Secret: true, Key: "config.slack.app_token", put: secret(func(c *Config) *Secret { return &c.Slack.AppToken })},
		{Name: slackPraiseChannel, Area: areaSlack, Kind: Text, Key: "config.slack.praise_channel", put: text(func(c *Config) *string { return &c.Slack.PraiseChannel })},
		{Name: "HUIYIN_SLACK_API_URL", Area: areaSlack, Default: "https://slack.com/api/", Kind: Web, Key: "config.slack.api_url", put: web(func(c *Config) *string { return &c.Slack.APIURL }, "/")},

		{Name: feishuAppID, Area: areaFeishu, Kind: Text, Key: "config.feishu.app_id", put: text(func(c *Config) *string { return &c.Feishu.AppID })},
		{Name: feishuAppSecret, Area: areaFeishu, Kind: Text, Secret: true, Key: "config.feishu.app_secret", put: secret(func(c *Config) *Secret { return &c.Feishu.AppSecret })},
		{Name: feishuEncryptKey, Area: areaFeishu, Kind: Text, Secret: true, Key: "config.feishu.encrypt_key", put: secret(func(c *Config) *Secret { return &c.Feishu.EncryptKey })},
		{Name: "HUIYIN_FEISHU_VERIFICATION_TOKEN", Area: areaFeishu, Kind: Text, Secret: true, Key: "config.feishu.verification_token", put: secret(func(c *Config) *Secret { return &c.Feishu.VerificationToken })},
		{Name: "HUIYIN_FEISHU_BASE_URL", Area: areaFeishu, Default: "https://open.feishu.cn", Kind: Web, Key: "config.feishu.base_url", put: web(func(c *Config) *string { return &c.Feishu.BaseURL }, "")},
		{Name: "HUIYIN_FEISHU_MODE", Area: areaFeishu, Default: modeStream, Kind: Choice, Choices: modes, Key: "config.feishu.mode", put: choice(func(c *Config) *string { return &c.Feishu.Mode })},
		{Name: "HUIYIN_FEISHU_MONTHLY_CALLS", Area: areaFeishu, Default: "0", Kind: Number, Key: "config.feishu.monthly_calls", put: number(func(c *Config) *int64 { return &c.Feishu.MonthlyCalls })},
		{Name: feishuPraiseChannel, Area: areaFeishu, Kind: Text, Key: "config.feishu.praise_channel", put: text(func(c *Config) *string { return &c.Feishu.PraiseChannel })},

		{Name: dingtalkClientID, Area: areaDingTalk, Kind: Text, Key: "config.dingtalk.client_id", put: text(func(c *Config) *string { return &c.DingTalk.ClientID })},
		{Name: dingtalkClientSecret, Area: areaDingTalk, Kind: Text, Secret: true, Key: "config.dingtalk.client_secret", put: secret(func(c *Config) *Secret { return &c.DingTalk.ClientSecret })},
		{Name: "HUIYIN_DINGTALK_ROBOT_CODE", Area: areaDingTalk, Kind: Text, Key: "config.dingtalk.robot_code", put: text(func(c *Config) *string { return &c.DingTalk.RobotCode })},
		{Name: "HUIYIN_DINGTALK_CARD_TEMPLATE_ID", Area: areaDingTalk, Kind: Text, Key: "config.dingtalk.card_template_id", put: text(func(c *Config) *string { return &c.DingTalk.CardTemplateID })},
		{Name: "HUIYIN_DINGTALK_API_URL", Area: areaDingTalk, Default: "https://api.dingtalk.com", Kind: Web, Key: "config.dingtalk.api_url", put: web(func(c *Config) *string { return &c.DingTalk.APIURL }, "")},
		{Name: "HUIYIN_DINGTALK_OAPI_URL", Area: areaDingTalk, Default: "https://oapi.dingtalk.com", Kind: Web, Key: "config.dingtalk.oapi_url", put: web(func(c *Config) *string { return &c.DingTalk.OAPIURL }, "")},
		{Name: "HUIYIN_DINGTALK_MODE", Area: areaDingTalk, Default: modeStream, Kind: Choice, Choices: modes, Key: "config.dingtalk.mode", put: choice(func(c *Config) *string { return &c.DingTalk.Mode })},
		{Name: dingtalkEventToken, Area: areaDingTalk, Kind: Text, Secret: true, Key: "config.dingtalk.event_token", put: secret(func(c *Config) *Secret { return &c.DingTalk.EventToken })},
		{Name: dingtalkEventKey, Area: areaDingTalk, Kind: Text, Secret: true, Key: "config.dingtalk.event_aes_key", put: secret(func(c *Config) *Secret { return &c.DingTalk.EventAESKey })},
		{Name: "HUIYIN_DINGTALK_MONTHLY_CALLS", Area: areaDingTalk, Default: "10000", Kind: Number, Key: "config.dingtalk.monthly_calls", put: number(func(c *Config) *int64 { return &c.DingTalk.MonthlyCalls })},
		{Name: dingtalkPraiseChannel, Area: areaDingTalk, Kind: Text, Key: "config.dingtalk.praise_channel", put: text(func(c *Config) *string { return &c.DingTalk.PraiseChannel })},
	}
}
