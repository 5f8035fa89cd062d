"""SmartAlex's words and views: campaigns, contacts, calls and callbacks, over HTTP and in webhooks alike."""
