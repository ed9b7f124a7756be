"""What a CRM sends by itself: events, posted to the addresses that subscribed to them."""
