//! Every key that LiteLLM 1.109.1 reads, by section, and where we stand with it.
//!
//! The one place to look up whether a key is known: warnings about unknown keys, suggestions for typing
//! mistakes and "no effect yet" all come from here. A key that gets served moves to `served`.

/// A map of the file whose keys are known.
pub(crate) struct Section {
    /// The key the map stands under.
    pub(crate) name: &'static str,
    /// Names with spaces between, as in all of these tables.
    served: &'static str,
    /// Keys that have no effect, by what follows from that.
    later: &'static [(&'static str, &'static str)],
}

/// What becomes of a known key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Served,
    /// Known and without effect; what that means.
    NotYet(&'static str),
}

impl Section {
    pub(crate) fn standing(&self, key: &str) -> Option<Standing> {
        if holds(self.served, key) {
            return Some(Standing::Served);
        }
        let reason = self.later.iter().find(|(_, names)| holds(names, key))?.0;
        Some(Standing::NotYet(reason))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        let later = self.later.iter().flat_map(|(_, names)| names.split_ascii_whitespace());
        self.served.split_ascii_whitespace().chain(later)
    }
}

/// Whether a field of a request is a common default in `litellm_params`, and so no typing mistake.
pub(crate) fn is_request_field(key: &str) -> bool {
    holds(REQUEST_FIELDS, key)
}

fn holds(names: &str, key: &str) -> bool {
    names.split_ascii_whitespace().any(|name| name == key)
}

const GUARDRAILS: &str = "no guardrail runs: requests and replies are not checked";
const CALLBACKS: &str = "calls are not sent to loggers";
const CACHE: &str = "replies are not cached";
const DATABASE: &str = "nothing is stored: there are no virtual keys, budgets or spend records";
const BUDGETS: &str = "budgets are not enforced";
const RETRIES: &str = "retries and fallbacks are not changed by this";
const STRATEGY: &str = "deployments of a group are not chosen by this";
const AWS: &str = "AWS credentials are not used";
const GOOGLE: &str = "Google Cloud credentials are not used";
const HEALTH: &str = "deployments are not probed in the background";
const PROMPTS: &str = "prompts are not managed here";
const SIGN_IN: &str = "callers are known by the master key only";
const LOGS: &str = "there are no stored call logs";
const METRICS: &str = "metrics are not shaped by this";
const FILES: &str = "files, batches and vector stores are not served";
const MCP: &str = "MCP servers, agents and search tools are not served";
const ALERTS: &str = "no alerts are sent";
const NETWORK: &str = "the outbound network settings are the built-in ones";
const LIMITS: &str = "this limit is not enforced";
const PYTHON: &str = "Python code cannot be loaded";
const DASHBOARD: &str = "there is no dashboard to apply it to";
const LIBRARY: &str = "it changes LiteLLM's library, and nothing here";
const TRANSLATION: &str = "translation is not changed by this";
const PRICING: &str = "charges are not computed from this";
const HEADERS: &str = "client headers are not passed on";

/// The root of the file.
pub(crate) const TOP: Section = Section {
    name: "the file",
    served: "model_list litellm_settings general_settings router_settings environment_variables include \
             credential_list",
    later: &[
        (GUARDRAILS, "guardrails policies policy_attachments"),
        (MCP, "mcp_servers mcp_tools search_tools sandbox_tools agents agent_list"),
        (FILES, "vector_store_registry files_settings finetune_settings assistant_settings"),
        (CALLBACKS, "callback_settings"),
        (GOOGLE, "default_vertex_config"),
        (PROMPTS, "prompts"),
    ],
};

/// An entry of `model_list`.
pub(crate) const ENTRY: Section = Section {
    name: "model_list",
    served: "model_name litellm_params model_info blocked rpm tpm",
    later: &[],
};

/// `litellm_params`: the keys that LiteLLM keeps to itself. Others are fields of the request.
pub(crate) const PARAMS: Section = Section {
    name: "litellm_params",
    served: "model api_key api_base base_url api_version organization azure_ad_token custom_llm_provider \
             extra_headers headers extra_body timeout request_timeout stream_timeout num_retries weight order \
             rpm tpm max_parallel_requests cooldown_time tags region_name drop_params additional_drop_params allowed_openai_params mock_response model_info \
             base_model use_chat_completions_api aws_access_key_id aws_secret_access_key aws_session_token aws_region_name \
             aws_role_name aws_session_name aws_profile_name aws_web_identity_token aws_sts_endpoint \
             aws_external_id aws_bedrock_runtime_endpoint vertex_project vertex_location \
             vertex_credentials vertex_ai_project vertex_ai_location vertex_ai_credentials tenant_id client_id \
             client_secret client_certificate_path azure_username azure_password azure_scope token zen_api_key \
             watsonx_region_name watsonx_project deployment_space_id oci_user oci_tenancy oci_fingerprint \
             oci_key oci_key_file oci_region litellm_credential_name",
    later: &[
        (AWS, "aws_batch_role_arn model_id"),
        (
            "this provider's own settings are not used",
            "fireworks_forward_user_id \
             thought_signature_in_tool_call_id chatgpt_auth_file",
        ),
        (
            LIMITS,
            "itpm otpm tpd rpd daily_reset_time default_api_key_tpm_limit \
             default_api_key_rpm_limit max_file_size_mb",
        ),
        (STRATEGY, "tag_regex"),
        (
            "one timeout holds for every service tier",
            "timeout_by_service_tier stream_timeout_by_service_tier",
        ),
        ("`num_retries` decides", "max_retries"),
        (
            TRANSLATION,
            "modify_params merge_reasoning_content_in_choices \
             cache_control_injection_points use_litellm_proxy",
        ),
        (BUDGETS, "max_budget budget_duration"),
        (GUARDRAILS, "guardrails"),
        ("callers cannot choose the address or key of an upstream", "configurable_clientside_auth_params"),
        ("pass-through routes are not served", "use_in_pass_through"),
        (
            "streams are not kept alive before their first byte",
            "keepalive_seconds allow_client_keepalive_override",
        ),
        (
            FILES,
            "vector_store_ids vector_store_id litellm_embedding_model litellm_embedding_config \
             s3_bucket_name s3_output_bucket_name gcs_bucket_name",
        ),
        (PROMPTS, "prompt_id prompt_variables prompt_integration"),
        (
            "there are no `auto_router/` models",
            "auto_router_config auto_router_config_path auto_router_default_model \
             auto_router_embedding_model complexity_router_config adaptive_router_config \
             quality_router_config",
        ),
        ("traffic is not mirrored", "silent_model"),
    ],
};

const REQUEST_FIELDS: &str = "temperature max_tokens max_completion_tokens top_p top_k n stop seed user tools tool_choice \
     parallel_tool_calls response_format presence_penalty frequency_penalty logit_bias logprobs \
     top_logprobs stream stream_options thinking reasoning reasoning_effort verbosity service_tier \
     modalities audio prediction metadata store dimensions encoding_format input_type safety_settings \
     web_search_options num_ctx num_predict keep_alive format think options repeat_penalty mirostat min_p \
     repetition_penalty guided_json chat_template_kwargs prompt_cache_key safety_identifier truncation \
     voice speed size quality style language";

/// `litellm_settings`.
pub(crate) const LITELLM: Section = Section {
    name: "litellm_settings",
    served: "fallbacks context_window_fallbacks content_policy_fallbacks default_fallbacks max_fallbacks \
             allowed_fails timezone budget_reset_time default_key_generate_params upperbound_key_generate_params drop_params request_timeout num_retries model_alias_map enable_azure_ad_token_refresh \
             anthropic_sse_ping_interval_seconds sse_keepalive_ping_interval_seconds",
    later: &[
        (
            CALLBACKS,
            "callbacks success_callback failure_callback service_callback turn_off_message_logging \
             redact_user_api_key_info redact_messages_in_exceptions log_raw_request_response \
             langfuse_default_tags s3_callback_params aws_sqs_callback_params \
             datadog_llm_observability_params argilla_transformation_object langsmith_batch_size \
             audit_log_callbacks store_audit_logs",
        ),
        ("`--detailed_debug` on the command line does this", "set_verbose"),
        ("log lines are written as the command line says", "json_logs"),
        (CACHE, "cache cache_params enable_redis_auth_cache"),
        (RETRIES, "expose_router_debug_in_errors"),
        (
            BUDGETS,
            "max_budget budget_duration budget_exceeded_status_code budget_exceeded_throttle_percentage \
             max_internal_user_budget internal_user_budget_duration \
             max_end_user_budget max_end_user_budget_id tag_budget_config",
        ),
        (
            DATABASE,
            "default_internal_user_params default_team_params default_team_settings \
             key_generation_settings \
             enable_key_alias_format_validation key_alias_pattern validate_end_user_id_in_db \
             disable_end_user_cost_tracking disable_end_user_cost_tracking_prometheus_only \
             extra_spend_tag_headers disable_add_user_agent_to_request_tags",
        ),
        (
            PRICING,
            "cost_discount_config cost_margin_config block_requests_for_models_without_pricing \
             include_cost_in_streaming_usage",
        ),
        (HEADERS, "model_group_settings forward_client_headers_to_llm_api"),
        (
            GUARDRAILS,
            "guardrails skip_system_message_in_guardrail skip_tool_message_in_guardrail \
             presidio_ad_hoc_recognizers output_parse_pii llamaguard_model_name \
             llamaguard_unsafe_content_categories llm_guard_mode google_moderation_confidence_threshold \
             openai_moderations_model_name blocked_user_list banned_keywords_list prompt_injection_params",
        ),
        (
            NETWORK,
            "ssl_verify ssl_certificate ssl_security_level force_ipv4 aiohttp_trust_env \
             disable_aiohttp_transport",
        ),
        (LIMITS, "priority_reservation priority_reservation_settings"),
        (PYTHON, "custom_provider_map post_call_rules"),
        (PROMPTS, "global_prompt_directory global_bitbucket_config global_gitlab_config"),
        (MCP, "mcp_aliases"),
        (
            METRICS,
            "prometheus_metrics_config prometheus_exclude_metrics prometheus_exclude_labels \
             custom_prometheus_metadata_labels custom_prometheus_tags \
             prometheus_initialize_budget_metrics prometheus_latency_buckets \
             require_auth_for_metrics_endpoint prometheus_emit_stream_label \
             prometheus_emit_rate_limit_labels enable_end_user_cost_tracking_prometheus_only",
        ),
        (
            TRANSLATION,
            "modify_params use_chat_completions_url_for_anthropic_messages \
             route_all_chat_openai_to_responses enable_anthropic_prompt_caching reasoning_auto_summary \
             vertex_ai_safety_settings disable_stop_sequence_limit",
        ),
        (
            LIBRARY,
            "enable_json_schema_validation disable_hf_tokenizer_download enable_preview_features \
             telemetry suppress_debug_info num_workers",
        ),
        (FILES, "enable_loadbalancing_on_batch_endpoints require_managed_files"),
        (DASHBOARD, "public_model_groups public_model_groups_links public_mcp_servers public_agent_groups"),
    ],
};

/// `general_settings`.
pub(crate) const GENERAL: Section = Section {
    name: "general_settings",
    served: "enforce_fallback_model_access dangerously_allow_mock_testing_request_params \
             master_key litellm_key_header_name strict completion_model embedding_model \
             max_request_size_mb max_response_size_mb global_max_parallel_requests \
             media_allowed_hosts always_include_stream_usage include_call_id_in_error_body database_url \
             database_connection_pool_limit disable_custom_api_keys store_model_in_db \
             maximum_spend_logs_retention_period maximum_spend_logs_retention_interval coordination_redis \
             fail_closed_rate_limit_enforcement fail_closed_budget_enforcement sharing_deadline_seconds",
    later: &[
        (
            "a weak master key is a warning unless `strict: true` stands here",
            "dangerously_permit_weak_or_unset_master_key",
        ),
        (
            DATABASE,
            "database_connection_timeout \
             database_connect_timeout database_socket_timeout database_extra_connection_params \
             disable_spend_updates disable_reset_budget proxy_batch_write_at \
             proxy_budget_rescheduler_min_time proxy_budget_rescheduler_max_time \
             proxy_batch_polling_interval use_redis_transaction_buffer allow_requests_on_db_unavailable \
             user_api_key_cache_ttl user_api_key_cache_max_size default_team_disabled \
             disable_key_generate_for_org_admin \
             disable_auto_add_proxy_admin_to_teams disable_prisma_schema_update disable_master_key_return \
             disable_adding_master_key_hash_to_db service_account_settings team_metadata_schema \
             scheduled_job_stagger",
        ),
        (
            "all of the database is served, at once",
            "supported_db_objects proxy_config_reload_interval_seconds",
        ),
        (
            LOGS,
            "store_prompts_in_spend_logs disable_spend_logs disable_error_logs \
             maximum_spend_logs_cleanup_cron maximum_spend_logs_size missing_session_id",
        ),
        (
            PYTHON,
            "custom_auth custom_auth_run_common_checks custom_key_generate custom_key_update \
             custom_key_policy custom_sso custom_ui_sso_sign_in_handler custom_team_metadata_validate \
             plugins",
        ),
        (
            SIGN_IN,
            "enable_jwt_auth litellm_jwtauth enable_oauth2_auth oauth2_config_mappings \
             enable_oauth2_proxy_auth allowed_routes public_routes admin_only_routes allowed_ips \
             role_permissions enforce_rbac use_x_forwarded_for user_header_name user_header_mappings \
             allow_client_side_credentials",
        ),
        (
            "request fields are not demanded or refused by this",
            "enforce_user_param reject_clientside_metadata_tags enforced_params request_tag_mappings",
        ),
        (
            LIMITS,
            "max_parallel_requests max_in_flight_requests_per_worker max_queued_requests_per_worker \
             admission_queue_timeout_seconds token_rate_limit_type \
             disable_retry_on_max_parallel_request_limit_error max_file_size_mb max_batch_file_size_mb \
             max_batch_file_records allowed_file_extensions",
        ),
        (BUDGETS, "apply_user_budget_to_team_keys disable_budget_reservation"),
        (RETRIES, "disable_fallbacks_on_per_model_rate_limits expose_fallback_errors_to_caller"),
        ("there is no default model for this kind of request", "image_generation_model moderation_model"),
        ("without a configuration file the environment is looked at anyway", "infer_model_from_keys"),
        (
            ALERTS,
            "alerting alerting_threshold alert_types alert_to_webhook_url alerting_args alert_type_config \
             spend_report_frequency",
        ),
        (
            HEALTH,
            "background_health_checks health_check_interval health_check_details health_check_concurrency \
             enable_health_check_routing health_check_staleness_threshold \
             health_check_ignore_transient_errors use_shared_health_check \
             background_health_check_model_groups model_list_healthy_only",
        ),
        (
            "pass-through routes are not served",
            "pass_through_endpoints pass_through_request_timeout \
             use_client_credentials_pass_through_routes",
        ),
        (
            HEADERS,
            "forward_client_headers_to_llm_api forward_llm_provider_auth_headers forward_openai_org_id",
        ),
        (
            "secrets come from this file and the environment",
            "key_management_system key_management_settings use_google_kms use_azure_key_vault",
        ),
        (
            DASHBOARD,
            "ui_access_mode auto_redirect_ui_login_to_sso control_plane_url hide_default_credentials_hint \
             block_robots",
        ),
        ("an upstream call ends with its client anyway", "cancel_on_disconnect"),
        (METRICS, "otel tracing"),
        (
            MCP,
            "search_tools mcp_internal_ip_ranges mcp_trusted_proxy_ranges \
             mcp_client_side_auth_header_name mcp_allowed_clients user_mcp_management_mode \
             enable_mcp_registry search_tool_deny_by_default enable_claude_code_gateway",
        ),
        (FILES, "vector_store_deny_by_default disable_responses_id_security"),
        ("nothing here needs a licence", "litellm_license"),
    ],
};

/// `router_settings`.
pub(crate) const ROUTER: Section = Section {
    name: "router_settings",
    served: "num_retries timeout stream_timeout model_group_alias routing_strategy routing_strategy_args \
             enable_tag_filtering tag_filtering_match_any optional_pre_call_checks enable_pre_call_checks \
             retry_after retry_policy model_group_retry_policy fallbacks context_window_fallbacks \
             content_policy_fallbacks default_fallbacks max_fallbacks allowed_fails allowed_fails_policy \
             cooldown_time disable_cooldowns default_max_parallel_requests redis_host redis_port \
             redis_password redis_url redis_db",
    later: &[
        (
            STRATEGY,
            "routing_groups tag_routing_prefix default_priority polling_interval enable_weighted_failover \
             deployment_affinity_ttl_seconds model_group_affinity_config session_affinity_repin_on_failover",
        ),
        (RETRIES, "fallback_on_unsupported_params enable_mid_stream_fallback_continuation max_retries"),
        (BUDGETS, "provider_budget_config"),
        (CACHE, "cache_responses caching_groups cache_kwargs client_ttl"),
        ("defaults stand in each entry's `litellm_params`", "default_litellm_params"),
        (
            HEALTH,
            "enable_health_check_routing health_check_staleness_threshold \
             health_check_ignore_transient_errors",
        ),
        ("a broken entry is an error, so that it is noticed", "ignore_invalid_deployments"),
        (LIBRARY, "set_verbose debug_level router_general_settings"),
        (PYTHON, "plugins"),
        (MCP, "search_tools assistants_config"),
        (GUARDRAILS, "guardrail_list"),
        (ALERTS, "alerting_config"),
    ],
};

pub(crate) use policy::price::is_price;

/// Master keys that stand in tutorials and examples, so that everybody who scans the internet tries them.
pub(crate) fn is_well_known(key: &str) -> bool {
    const KNOWN: &str = "sk-1234 sk-12345 sk-123456 sk-1234567 sk-12345678 sk-123456789 sk-1234567890 sk-0000 sk-1111 \
         sk-123 sk-abc sk-abc123 sk-test sk-test-key sk-testing sk-litellm sk-litellm-master-key \
         sk-master sk-master-key sk-my-master-key sk-admin sk-secret sk-password sk-key sk-your-key \
         sk-your-master-key sk-your-key-here sk-changeme sk-change-me sk-default sk-demo sk-local \
         sk-proxy sk-xxx sk-xxxx sk-none sk-anything changeme change-me change_me password secret admin \
         test master-key 1234 12345 123456 your-master-key sk-";
    let key = key.trim();
    KNOWN.split_ascii_whitespace().any(|known| key.eq_ignore_ascii_case(known))
}
